package dev.nibble.compute.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A damaged file either opens, and then every tensor can be read, or is called malformed. */
final class SafetensorsFuzzTest {
  @TempDir Path folder;
  private byte[] valid = new byte[0];

  @BeforeEach
  void write() throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (DType dtype : DType.values()) {
      tensors.put(
          "layer/é/" + dtype,
          Tensor.onHost(
              "t", dtype, Shape.of(3, 2), MemorySegment.ofArray(new byte[6 * dtype.bytes()])));
    }
    SafetensorsWriter.write(folder.resolve("valid"), tensors, Map.of("format", "pt"));
    valid = Files.readAllBytes(folder.resolve("valid"));
  }

  /** True when it opened. */
  private boolean tryOpen(byte[] bytes) {
    try (SafetensorsFile f =
        Safetensors.open(HandmadeFiles.write(folder.resolve("damaged"), bytes))) {
      for (String name : f.names()) {
        Tensor t = f.tensor(name);
        for (long i = 0; i < t.elements(); i++) {
          t.getFloat(i);
        }
      }
      return true;
    } catch (MalformedSafetensors e) {
      assertThat(e).hasMessageContaining("damaged");
      return false;
    }
  }

  @Test
  void everyTruncationIsCalledMalformed() {
    assertThat(tryOpen(valid)).isTrue();
    for (int length = 0; length < valid.length; length++) {
      assertThat(tryOpen(Arrays.copyOf(valid, length))).as("%d bytes", length).isFalse();
    }
  }

  @Test
  void flippedBytesAreReadOrCalledMalformed() {
    Random random = new Random(7);
    int opened = 0;
    for (int i = 0; i < 1500; i++) {
      byte[] bytes = valid.clone();
      for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      opened += tryOpen(bytes) ? 1 : 0;
    }
    assertThat(opened).isBetween(1, 1499);
  }
}
