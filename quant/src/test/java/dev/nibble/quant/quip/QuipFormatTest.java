package dev.nibble.quant.quip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.EachKernelSet;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.JsonSection;
import dev.nibble.quant.SampleLayer;
import dev.nibble.quant.StoredFormat;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.gptq.GptqFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class QuipFormatTest {
  private static final String MODULE = "model.layers.0.self_attn.q_proj";
  private static final String W = MODULE + ".weight";
  private static final int ROWS = 56;
  private static final int COLS = 96;
  private static final QuipFormat FORMAT = QuipFormat.caldera(2, 8).with(1, 0.01);

  @TempDir Path folder;

  /** One weight in 97 is far out. */
  private static Tensor dense() {
    Tensor t = SampleLayer.weights(W, ROWS, COLS);
    for (int i = 0; i < ROWS * COLS; i += 97) {
      t.setFloat(i, t.getFloat(i) * 20);
    }
    return t;
  }

  private static Rotated encoded(QuipFormat format, Tensor in, Kernels kernels, Scope scope) {
    return (Rotated) StoredFormat.encoded(format, in, kernels, scope);
  }

  private StoredFormat stored(QuipFormat format) {
    return new StoredFormat(format, dense(), folder);
  }

  static Stream<QuipFormat> formats() {
    return QuipFormat.BITS.stream()
        .flatMap(bits ->
            Stream.of(
                QuipFormat.quip(bits),
                QuipFormat.caldera(bits, 5),
                QuipFormat.caldera(bits, QuipFormat.FITTING)))
        .map(format -> format.with(1, 0.02));
  }

  /** Codes of the bits that it says and 4 bits of each factor; scales and signs come on top. */
  @ParameterizedTest
  @MethodSource("formats")
  void isStoredAndReadAgain(QuipFormat format) throws IOException {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      Rotated made = encoded(format, dense(), kernels, scope);
      Map<String, Tensor> tensors = format.layout().tensors(W, made, DType.BF16);
      try (ShardedSafetensors checkpoint = stored(format).write(tensors)) {
        StoredWeights found = CheckpointReaders.find(checkpoint);
        assertThat(found.format()).contains(format);
        assertThat(found.tensors(checkpoint.names())).containsExactly(W);
        Rotated loaded =
            (Rotated) new FrozenWeights(checkpoint, Optional.of(format), kernels, scope).load(W);
        assertThat(SampleLayer.decoded(loaded)).isEqualTo(SampleLayer.decoded(made));
        long rank = loaded.lowRank().map(factors -> factors.rank()).orElse(0L);
        assertThat(rank).isEqualTo(format.rank() == QuipFormat.FITTING ? 8 : format.rank());
        long codes = (format.bits() * (long) ROWS * COLS + 4 * rank * (ROWS + COLS)) / 8;
        long scales = 4L * (format.bits() > 2 ? 2 : 1) + (rank > 0 ? 16 : 0);
        assertThat(loaded.bytes()).isEqualTo(codes + scales + ROWS + COLS);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void everySetHoldsTheSame(String set) throws IOException {
    stored(FORMAT).assertSameIn(set);
  }

  /** Far fewer bits than its size; a product takes what is left; more bits lose less. */
  @Test
  void losesLessThanGptqWithTwoBits() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      double quip = lost(QuipFormat.quip(2), kernels, scope);
      GptqFormat gptq = new GptqFormat(2, 48);
      FrozenMatrix matrix = gptq.allocator(kernels, scope).allocate(W, ROWS, COLS);
      gptq.encode(kernels, matrix, dense(), SampleLayer.moments(COLS));
      double other = SampleLayer.trace(matrix, dense(), SampleLayer.moments(COLS).sum());
      assertThat(quip).isLessThan(0.7 * other);
      assertThat(lost(QuipFormat.caldera(2, 8), kernels, scope)).isLessThan(0.9 * quip);
      double three = lost(QuipFormat.quip(3), kernels, scope);
      assertThat(three).isLessThan(0.5 * quip);
      assertThat(lost(QuipFormat.quip(4), kernels, scope)).isLessThan(0.5 * three);
    }
  }

  private static double lost(QuipFormat format, Kernels kernels, Scope scope) {
    return SampleLayer.trace(
        encoded(format, dense(), kernels, scope), dense(), SampleLayer.moments(COLS).sum());
  }

  /** Of zeros, and of one value everywhere: no NaN, and values near their weights. */
  @Test
  void weightsThatAreAllEqual() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      for (double value : new double[] {0, -3}) {
        Tensor in = SampleLayer.tensor(W, DType.F32, 16, 32);
        for (int i = 0; i < in.elements(); i++) {
          in.setFloat(i, value);
        }
        for (QuipFormat format : List.of(QuipFormat.quip(4), QuipFormat.caldera(2, 8))) {
          double error =
              SampleLayer.trace(
                  encoded(format, in, kernels, scope), in, SampleLayer.moments(32).sum());
          double all = SampleLayer.trace(encoded(format, zeros(), kernels, scope), in, moments());
          assertThat(error).as("%s of %s", value, format).isBetween(0.0, 0.05 * all + 1e-9);
        }
      }
    }
  }

  private static Tensor zeros() {
    return SampleLayer.tensor(W, DType.F32, 16, 32);
  }

  private static Tensor moments() {
    return SampleLayer.moments(32).sum();
  }

  @Test
  void sizesAreChecked() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      WeightFormat.Allocator allocator = FORMAT.allocator(kernels, scope);
      assertThatThrownBy(() -> allocator.allocate(W, 64, 42))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("'%s' has 42 inputs".formatted(W))
          .hasMessageContaining("expected a multiple of 8");
      assertThatThrownBy(() -> allocator.allocate(W, 92, 64))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("outputs that are a multiple of 8");
      assertThatThrownBy(() -> QuipFormat.quip(2).allocator(kernels, scope).allocate(W, 92, 64))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("has 92 outputs, and no Hadamard matrix of that size is known");
      assertThatThrownBy(
              () -> QuipFormat.caldera(2, 65).allocator(kernels, scope).allocate(W, 64, 128))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("take a smaller rank");
    }
    assertThatThrownBy(() -> QuipFormat.quip(5)).hasMessageContaining("one of [4, 3, 2]");
    assertThatThrownBy(() -> QuipFormat.caldera(2, -2)).hasMessageContaining("rank -2");
    assertThatThrownBy(() -> FORMAT.with(-1, 1)).hasMessageContaining("-1 passes");
    assertThatThrownBy(() -> FORMAT.with(1, 0)).hasMessageContaining("damping of 0");
    assertThat(QuipFormat.quip(3).bitsPerWeight()).isEqualTo(3);
    assertThat(QuipFormat.caldera(2, QuipFormat.FITTING).bitsPerWeight()).isEqualTo(2.25);
  }

  static Stream<Arguments> damages() {
    String signs = MODULE + QuipLayout.SIGNS_OUT;
    String codes = MODULE + QuipLayout.CODES;
    String left = MODULE + ".left.e8_residuals";
    return Stream.of(
        damage(t -> t.remove(signs), "has no '" + signs + "' beside it"),
        damage(t -> t.remove(left), "has no '" + left + "' beside it"),
        damage(
            t -> t.put(codes, SampleLayer.tensor(codes, DType.I16, ROWS, 11)),
            codes + "' is I16[56, 11], expected I16[56, 12]"),
        damage(
            t -> t.put(left, SampleLayer.tensor(left, DType.U8, 8, 7)),
            left + "' is U8[8, 7], expected I16[8, 7]"));
  }

  private static Arguments damage(StoredFormat.Change change, String message) {
    return Arguments.of(change, message);
  }

  @ParameterizedTest
  @MethodSource("damages")
  void saysWhatIsWrong(StoredFormat.Change change, String message) throws IOException {
    stored(FORMAT).assertRefused(change, message);
  }

  @Test
  void saysWhichValuesAreWrong() throws IOException {
    StoredFormat stored = stored(FORMAT);
    stored.assertNotLoaded(
        MODULE + QuipLayout.SIGNS_IN, t -> t.setLong(7, 0), "is 0 at [7], expected 1 or -1");
    stored.assertNotLoaded(
        MODULE + QuipLayout.SCALES, t -> t.setFloat(0, Float.NaN), "has NaN at [0]");
    stored.assertNotLoaded(
        MODULE + ".right.e8_scales", t -> t.setFloat(1, Float.NaN), "has NaN at [1]");
  }

  @Test
  void configTellsTheFormat() throws IOException {
    for (QuipFormat format : formats().toList()) {
      var config = format.layout().config(DType.BF16, List.of());
      assertThat(CheckpointReaders.summary(new JsonSection(config)))
          .isEqualTo(format.layout().summary());
    }
    var config = FORMAT.layout().config(DType.BF16, List.of());
    assertThatThrownBy(() -> CheckpointReaders.summary(new JsonSection(config.put("bits", 5))))
        .hasMessageContaining("4, 3 or 2");
    stored(FORMAT).write(stored(FORMAT).tensors()).close();
    Path file = folder.resolve("config.json");
    Files.writeString(file, Files.readString(file).replace("\"rank\":8", "\"rank\":0.5"));
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      assertThatThrownBy(() -> CheckpointReaders.find(checkpoint))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining(file.toString())
          .hasMessageContaining("\"rank\" of \"quantization_config\" is 0.5, expected a whole");
    }
  }
}
