package dev.nibble.quant.spqr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.WithOutliers;
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

final class SpqrFormatTest {
  private static final String MODULE = "model.layers.0.self_attn.q_proj";
  private static final String W = MODULE + ".weight";
  private static final int ROWS = 40;
  private static final int COLS = 96;

  /** The last 8 rows share scales of their own. */
  private static final SpqrFormat FORMAT = new SpqrFormat(3, 16).with(0.05, 1);

  @TempDir Path folder;

  /** One weight in 97 is far out. */
  private static Tensor dense(int rows) {
    Tensor t = SampleLayer.weights(W, rows, COLS);
    for (int i = 0; i < rows * COLS; i += 97) {
      t.setFloat(i, t.getFloat(i) * 20);
    }
    return t;
  }

  private static WithOutliers encoded(SpqrFormat format, Tensor in, Kernels kernels, Scope scope) {
    return (WithOutliers) StoredFormat.encoded(format, in, kernels, scope);
  }

  private StoredFormat stored(SpqrFormat format) {
    return new StoredFormat(format, dense(ROWS), folder);
  }

  static Stream<SpqrFormat> formats() {
    return SpqrFormat.BITS.stream()
        .flatMap(bits ->
            Stream.of(0.5 / bits, 4.0 / bits, Double.POSITIVE_INFINITY)
                .map(threshold -> new SpqrFormat(bits, 8, 32, 4, threshold, 0.1)));
  }

  /** Codes, statistics and 32 bits an outlier; the index and where rows start come on top. */
  @ParameterizedTest
  @MethodSource("formats")
  void isStoredAndReadAgain(SpqrFormat format) throws IOException {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      WithOutliers made = encoded(format, dense(64), kernels, scope);
      int outliers = made.starts().getInt(64);
      assertThat(outliers > 0).isEqualTo(Double.isFinite(format.outlierThreshold()));
      Map<String, Tensor> tensors = format.layout().tensors(W, made, DType.BF16);
      try (ShardedSafetensors checkpoint = stored(format).write(tensors)) {
        StoredWeights found = CheckpointReaders.find(checkpoint);
        assertThat(found.format()).contains(format);
        assertThat(found.tensors(checkpoint.names())).containsExactly(W);
        WithOutliers loaded =
            (WithOutliers)
                new FrozenWeights(checkpoint, Optional.of(format), kernels, scope).load(W);
        assertThat(SampleLayer.decoded(loaded)).isEqualTo(SampleLayer.decoded(made));
        long bits = Math.round(format.bitsPerWeight() * made.elements()) + 32L * outliers;
        long more = 4L * COLS + 4 * 65 + (outliers == 0 ? 4 : 0);
        assertThat(loaded.bytes()).isEqualTo(bits / 8 + more);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void everySetHoldsTheSame(String set) throws IOException {
    stored(FORMAT).assertSameIn(set);
  }

  /**
   * With a few weights far out: better than GPTQ at more bits, and much of that is the outliers.
   * Statistics of 3 bits in groups of 16 beat those of 16 bits in groups of 48 at as many bits.
   */
  @Test
  void losesLessThanGptqWhereWeightsAreFarOut() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      Tensor in = dense(64);
      Tensor moments = SampleLayer.moments(COLS).sum();
      SpqrFormat few = new SpqrFormat(3, 16).with(0.2, 0.05);
      WithOutliers made = encoded(few, in, kernels, scope);
      assertThat(made.starts().getInt(64)).isBetween(40, 300);
      double sparse = SampleLayer.trace(made, in, moments);
      double none =
          SampleLayer.trace(
              encoded(few.with(Double.POSITIVE_INFINITY, 0.05), in, kernels, scope), in, moments);
      double coarse = gptq(new GptqFormat(3, 48), in, moments, kernels, scope);
      double four = gptq(new GptqFormat(4, 96), in, moments, kernels, scope);
      assertThat(sparse).isLessThan(0.5 * none).isLessThan(four);
      assertThat(none).isLessThan(coarse);
    }
  }

  private static double gptq(
      GptqFormat format, Tensor in, Tensor moments, Kernels kernels, Scope scope) {
    FrozenMatrix matrix = format.allocator(kernels, scope).allocate(W, in.dim(0), in.dim(1));
    format.encode(kernels, matrix, in, SampleLayer.moments(COLS));
    return SampleLayer.trace(matrix, in, moments);
  }

  /** One row, equal weights, zeros, one input in a group: no NaN, and values near their weights. */
  @Test
  void smallAndEqualWeights() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      for (double value : new double[] {0, 0.01, -3}) {
        for (int rows : new int[] {1, 3, 20}) {
          Tensor in = SampleLayer.tensor(W, DType.F32, rows, 32);
          for (int i = 0; i < in.elements(); i++) {
            in.setFloat(i, value);
          }
          for (int group : new int[] {1, 8}) {
            float[] back =
                SampleLayer.decoded(encoded(new SpqrFormat(4, group), in, kernels, scope));
            for (int i = 0; i < back.length; i++) {
              double expected = i % 32 == 7 ? 0 : value; // of an input that is always 0
              assertThat((double) back[i])
                  .as("%s %d %d [%d]", value, rows, group, i)
                  .isCloseTo(expected, offset(0.002 * Math.abs(value)));
            }
          }
        }
      }
    }
  }

  @Test
  void weightsBeyondFloat16() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      Tensor in = SampleLayer.tensor(W, DType.F32, 32, 32);
      in.put(SampleLayer.weights(W, 32, 32).toFloats());
      in.setFloat(33, 3e8);
      assertThatThrownBy(() -> encoded(new SpqrFormat(4, 16), in, kernels, scope))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining(W)
          .hasMessageContaining("is beyond F16; its weights are too large");
    }
  }

  @Test
  void tooManyOutliers() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      assertThatThrownBy(
              () -> encoded(new SpqrFormat(2, 16).with(1e-6, 1), dense(64), kernels, scope))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining(W)
          .hasMessageContaining("of its 6144 weights are outliers, and there is room for 776")
          .hasMessageContaining("raise the outlier threshold of 1.0E-6, or take more bits");
    }
  }

  @Test
  void sizesAreChecked() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      WeightFormat.Allocator allocator = FORMAT.allocator(kernels, scope);
      assertThatThrownBy(() -> allocator.allocate(W, 64, 40))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("'%s' has 40 inputs, which groups of 16 do not divide".formatted(W))
          .hasMessageContaining("such as 8 for this one");
      assertThatThrownBy(() -> allocator.allocate(W, 1, 1 << 17))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("expected at most 65536");
    }
    assertThatThrownBy(() -> new SpqrFormat(5, 16)).hasMessageContaining("one of [8, 4, 3, 2]");
    assertThatThrownBy(() -> new SpqrFormat(4, 0)).hasMessageContaining("positive numbers");
    assertThatThrownBy(() -> new SpqrFormat(4, 16).with(0, 1))
        .hasMessageContaining("threshold of 0");
    assertThatThrownBy(() -> new SpqrFormat(4, 16).with(1, 0)).hasMessageContaining("damping of 0");
    assertThat(new SpqrFormat(4, 16).bitsPerWeight()).isEqualTo(4.625);
    assertThat(new SpqrFormat(3, 8, 64, 3, 0.2, 1).bitsPerWeight()).isEqualTo(3.875);
  }

  static Stream<Arguments> damages() {
    String index = MODULE + SpqrLayout.INDEX;
    String starts = MODULE + SpqrLayout.STARTS;
    String zeros = MODULE + SpqrLayout.ZEROS;
    String values = MODULE + SpqrLayout.VALUES;
    return Stream.of(
        damage(t -> t.remove(starts), "has no '" + starts + "' beside it"),
        damage(t -> t.remove(zeros + "_scale"), "has no '" + zeros + "_scale' beside it"),
        damage(t -> t.remove(values), "has no '" + values + "' beside it"),
        damage(
            t -> t.put(index, SampleLayer.tensor(index, DType.I32, 90)),
            index + "' is I32[90], expected I32[inputs], which groups of 16 divide"),
        damage(
            t -> t.put(index, SampleLayer.tensor(index, DType.I32, 80)),
            ".spqr_codes' is U8[1440], expected U8[1200]"),
        damage(
            t -> t.put(zeros, SampleLayer.tensor(zeros, DType.U8, 89)),
            zeros + "' is U8[89], expected U8[90]"),
        damage(
            t -> t.put(values, SampleLayer.tensor(values, DType.F32, 3)),
            values + "' is F32[3], expected F16[3]"));
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
    loadFails(
        SpqrLayout.INDEX, t -> t.setLong(40, 6), "is 6 at [40], expected a group from 0 to 5");
    loadFails(SpqrLayout.STARTS, t -> t.setLong(0, 1), "is 1 at [0], expected ascending numbers");
    loadFails(SpqrLayout.STARTS, t -> t.setLong(7, 9999), "is 9999 at [7], expected ascending");
    loadFails(SpqrLayout.STARTS, t -> t.setLong(ROWS, t.getInt(ROWS - 1)), "at [40], expected");
    loadFails(SpqrLayout.COLUMNS, t -> t.setLong(0, 96), "is 96 at [0], expected ascending inputs");
    loadFails(SpqrLayout.VALUES, t -> t.setFloat(2, Float.NaN), "has NaN at [2]");
    loadFails(
        ".zeros_scale", t -> t.setFloat(7, Float.POSITIVE_INFINITY), "has Infinity at [1, 1]");
  }

  private void loadFails(String part, StoredFormat.Damage damage, String message)
      throws IOException {
    stored(FORMAT).assertNotLoaded(MODULE + part, damage, message);
  }

  @Test
  void settingsAreChecked() throws IOException {
    for (String key : List.of("bits", "group_size", "rows_together", "statistic_bits")) {
      stored(FORMAT).write(stored(FORMAT).tensors()).close();
      Path config = folder.resolve("config.json");
      Files.writeString(config, Files.readString(config).replace("\"" + key + "\":", "\"x\":"));
      try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
        assertThatThrownBy(() -> CheckpointReaders.find(checkpoint))
            .isInstanceOf(UnusableWeight.class)
            .hasMessageContaining(config.toString())
            .hasMessageContaining("has no positive integer \"" + key + "\"");
      }
    }
  }

  @Test
  void configTellsTheFormat() {
    var config = FORMAT.layout().config(DType.BF16, List.of());
    assertThat(CheckpointReaders.summary(new JsonSection(config)))
        .isEqualTo(FORMAT.layout().summary());
    assertThatThrownBy(() -> CheckpointReaders.summary(new JsonSection(config.put("bits", 5))))
        .hasMessageContaining("8, 4, 3 or 2");
  }
}
