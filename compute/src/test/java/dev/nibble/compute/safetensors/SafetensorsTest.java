package dev.nibble.compute.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SafetensorsTest {
  @TempDir Path folder;

  @Test
  void mapsTensors() throws IOException {
    byte[] bytes =
        HandmadeFiles.bytes(
            "{'x':{'dtype':'I16','shape':[2],'data_offsets':[0,4]}}".replace('\'', '"'), 4);
    bytes[bytes.length - 2] = 5;
    Path path = HandmadeFiles.write(folder.resolve("x"), bytes);
    Tensor t;
    try (SafetensorsFile file = Safetensors.open(path)) {
      t = file.tensor("x");
      assertThat(t.name()).isEqualTo("x");
      assertThat(t.toInts()).containsExactly(0, 5);
      assertThat(t.memory().isReadOnly()).isTrue();
      file.unload("x");
      assertThat(t.toInts()).as("read again").containsExactly(0, 5);
      assertThatThrownBy(() -> file.tensor("y"))
          .isInstanceOf(MalformedSafetensors.class)
          .hasMessageContaining("has no tensor 'y' among its 1");
      assertThatThrownBy(() -> file.names().clear())
          .isInstanceOf(UnsupportedOperationException.class);
    }
    assertThatThrownBy(() -> t.getInt(0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void saysWhatCannotBeRead() throws IOException {
    assertThatThrownBy(() -> Safetensors.open(folder.resolve("absent")))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("absent does not exist");
    assertThatThrownBy(() -> Safetensors.open(folder))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("is not a regular file");
    Path empty = Files.createFile(folder.resolve("empty"));
    assertThatThrownBy(() -> Safetensors.open(empty))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining("has 0 bytes");
    Path text =
        Files.writeString(
            folder.resolve("text"), "version https://git-lfs", StandardCharsets.UTF_8);
    assertThatThrownBy(() -> Safetensors.open(text))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining("not a safetensors file");
  }
}
