package dev.nibble.compute.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ShardedSafetensorsTest {
  @TempDir Path folder;

  private void shard(String file, String tensor, byte value) throws IOException {
    SafetensorsWriter.write(
        folder.resolve(file),
        Map.of(
            tensor,
            Tensor.onHost(
                tensor, DType.U8, Shape.of(1), MemorySegment.ofArray(new byte[] {value}))),
        Map.of("format", "pt"));
  }

  private void index(String json) {
    HandmadeFiles.write(
        folder.resolve(ShardedSafetensors.INDEX),
        json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void readsOneFile() throws IOException {
    shard("model.safetensors", "a", (byte) 3);
    try (ShardedSafetensors model = ShardedSafetensors.open(folder)) {
      assertThat(model.names()).containsExactly("a");
      assertThat(model.has("a")).isTrue();
      assertThat(model.tensor("a").getInt(0)).isEqualTo(3);
      assertThatThrownBy(() -> model.tensor("b"))
          .isInstanceOf(MalformedSafetensors.class)
          .hasMessageContaining("has no tensor 'b' among its 1");
    }
  }

  @Test
  void readsShards() throws IOException {
    shard("model-00001-of-00002.safetensors", "a", (byte) 1);
    shard("model-00002-of-00002.safetensors", "b", (byte) 2);
    index(
        "{'metadata':{'total_size':2.0},'weight_map':{'b':'model-00002-of-00002.safetensors','a':'model-00001-of-00002.safetensors'}}");
    try (ShardedSafetensors model = ShardedSafetensors.open(folder)) {
      assertThat(model.names()).containsExactly("b", "a");
      assertThat(model.tensor("a").getInt(0)).isEqualTo(1);
      assertThat(model.tensor("b").getInt(0)).isEqualTo(2);
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{                                    | is not JSON",
        "{} {}                                | is not JSON",
        "[]                                   | weight_map must be an object",
        "{'weight_map':{}}                    | weight_map must be an object",
        "{'weight_map':3}                     | weight_map must be an object",
        "{'weight_map':{'a':3}}               | weight_map gives 3 for tensor 'a'",
        "{'weight_map':{'a':'s','a':'s'}}     | is not JSON",
        "{'weight_map':{'a':'../x'}}          | names a file outside its folder: '../x'",
        "{'weight_map':{'a':'sub/../../x'}}   | names a file outside its folder",
        "{'weight_map':{'a':'/etc/passwd'}}   | names a file outside its folder: '/etc/passwd'",
        "{'weight_map':{'a':'absent'}}        | names 'absent', which is not in the folder",
        "{'weight_map':{'a':'s','b':'s'}}     | places tensor 'b' in s, which does not hold it",
      })
  void namesWhatIsWrongWithAnIndex(String json, String message) throws IOException {
    shard("s", "a", (byte) 1);
    index(json);
    assertThatThrownBy(() -> ShardedSafetensors.open(folder))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining(ShardedSafetensors.INDEX)
        .hasMessageContaining(message);
  }

  @Test
  void saysWhatAFolderNeedsAndHas() throws IOException {
    assertThatThrownBy(() -> ShardedSafetensors.open(folder))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining("needs model.safetensors, or model.safetensors.index.json")
        .hasMessageContaining("it has nothing");
    Files.createFile(folder.resolve("pytorch_model.bin"));
    assertThatThrownBy(() -> ShardedSafetensors.open(folder))
        .hasMessageContaining("it has pytorch_model.bin")
        .hasMessageContaining("must be converted");
    assertThatThrownBy(() -> ShardedSafetensors.open(folder.resolve("absent")))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining("does not exist");
    assertThatThrownBy(() -> ShardedSafetensors.open(folder.resolve("pytorch_model.bin")))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining("is not a folder");
  }
}
