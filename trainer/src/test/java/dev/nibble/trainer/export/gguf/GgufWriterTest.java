package dev.nibble.trainer.export.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.export.ExportException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GgufWriterTest {
  @TempDir private Path folder;

  private static GgufTensor ramp(String name, GgufType type, long... dims) {
    return new GgufTensor(name, Shape.of(dims), type, GgufWriterTest::ramp);
  }

  private static void ramp(Tensor out) {
    for (long i = 0; i < out.elements(); i++) {
      out.setFloat(i, (int) (i % 251) - 125);
    }
  }

  @Test
  void everyValueTypeReadsBack() {
    GgufMetadata metadata =
        new GgufMetadata()
            .u32("count", 0xffff_ffffL)
            .f32("real", 0.1)
            .flag("yes", true)
            .flag("no", false)
            .text("text", "\u2581naïve \ud83e\udd99")
            .texts("texts", List.of("", "a b", "ß"))
            .i32s("integers", new int[] {-1, 7})
            .f32s("reals", new float[] {-0f, 1e-30f});
    Path file = folder.resolve("a.gguf");
    long bytes = GgufWriter.write(file, metadata, List.of());
    GgufFile read = GgufFile.read(file);
    assertThat(file).hasSize(bytes);
    assertThat(read.metadata())
        .containsEntry("count", 0xffff_ffffL)
        .containsEntry("real", 0.1f)
        .containsEntry("yes", true)
        .containsEntry("no", false)
        .containsEntry("text", "\u2581naïve \ud83e\udd99")
        .containsEntry("texts", List.of("", "a b", "ß"))
        .containsEntry("integers", List.of(-1L, 7L))
        .containsEntry("reals", List.of(-0f, 1e-30f))
        .hasSize(8);
  }

  @Test
  void tensorsLieReversedPaddedAndInOrder() {
    Path file = folder.resolve("a.gguf");
    List<Long> written = new ArrayList<>();
    GgufWriter.write(
        file,
        new GgufMetadata(),
        List.of(
            ramp("odd", GgufType.F16, 7),
            ramp("cube", GgufType.F32, 2, 3, 5),
            ramp("quantised", GgufType.Q8_0, 3, 64),
            GgufTensor.vector("known", new float[] {1, 2, 3})),
        (done, total) -> {
          assertThat(total).isEqualTo(14 + 120 + 6 * 34 + 12);
          written.add(done);
        });
    assertThat(written).containsExactly(14L, 134L, 338L, 350L);
    GgufFile read = GgufFile.read(file);
    assertThat(read.tensors().keySet()).containsExactly("odd", "cube", "quantised", "known");
    assertThat(read.tensor("cube").sizes()).containsExactly(5L, 3L, 2L);
    assertThat(read.tensor("quantised").sizes()).containsExactly(64L, 3L);
    assertThat(read.tensor("odd").values())
        .containsExactly(-125, -124, -123, -122, -121, -120, -119);
    assertThat(read.tensor("known").values()).containsExactly(1, 2, 3);
  }

  /** More values than are encoded between two writes to the file, and a part that is not full. */
  @ParameterizedTest
  @EnumSource(GgufType.class)
  void largeTensorsAreWrittenInParts(GgufType type) {
    int rows = (1 << 22) / 96 + 11;
    Path file = folder.resolve("large.gguf");
    GgufWriter.write(file, new GgufMetadata(), List.of(ramp("large", type, rows, 96)));
    float[] values = GgufFile.read(file).tensor("large").values();
    float allowed = type == GgufType.Q4_0 ? 125 / 8f : type == GgufType.Q8_0 ? 0.6f : 0;
    int wrong = 0;
    for (int i = 0; i < values.length; i++) {
      wrong += Math.abs(values[i] - (i % 251 - 125)) <= allowed ? 0 : 1;
    }
    assertThat(wrong).isZero();
  }

  @Test
  void aFailureLeavesTheEarlierFile() throws IOException {
    Path file = folder.resolve("a.gguf");
    Files.writeString(file, "earlier");
    List<GgufTensor> tensors = new ArrayList<>();
    tensors.add(ramp("fine", GgufType.F16, 4));
    tensors.add(
        new GgufTensor("big", Shape.of(1 << 20), GgufType.F16, out -> out.setFloat(99_999, 1e6)));
    assertThatThrownBy(() -> GgufWriter.write(file, new GgufMetadata(), tensors))
        .isInstanceOf(ExportException.class)
        .hasMessage(
            "tensor 'big' holds 1000000.0 at element 99999, which F16 cannot hold; bf16 and f32 can");
    assertThat(file).hasContent("earlier");
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void refusesWhatReadersRefuse() {
    Path file = folder.resolve("a.gguf");
    GgufTensor t = ramp("x", GgufType.F32, 1);
    assertThatThrownBy(() -> GgufWriter.write(file, new GgufMetadata(), List.of(t, t)))
        .isInstanceOf(ExportException.class)
        .hasMessage("two tensors are named 'x'");
    assertThatThrownBy(() -> ramp("é".repeat(32), GgufType.F32, 1))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("less than 64 bytes");
    assertThatThrownBy(() -> ramp("x", GgufType.F32, 1, 2, 3, 4, 5))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("one to 4 dimensions");
    assertThatThrownBy(() -> new GgufMetadata().flag("k", true).flag("k", true))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new GgufMetadata().texts("k", List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
