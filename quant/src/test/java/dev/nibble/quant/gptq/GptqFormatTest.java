package dev.nibble.quant.gptq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.EachKernelSet;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.JsonSection;
import dev.nibble.quant.SampleLayer;
import dev.nibble.quant.SecondMoments;
import dev.nibble.quant.StoredFormat;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.gptq.GptqFormat.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

final class GptqFormatTest {
  private static final String MODULE = "model.layers.0.self_attn.q_proj";
  private static final String W = MODULE + ".weight";
  private static final int ROWS = 64;
  private static final int COLS = 96;
  private static final GptqFormat FORMAT = new GptqFormat(4, 32, false, true, 0.01, Version.GPTQ);

  @TempDir Path folder;

  private static Tensor dense() {
    return SampleLayer.weights(W, ROWS, COLS);
  }

  private static Affine encoded(GptqFormat format, Tensor in, Kernels kernels, Scope scope) {
    return (Affine) StoredFormat.encoded(format, in, kernels, scope);
  }

  private StoredFormat stored(GptqFormat format) {
    return new StoredFormat(format, dense(), folder);
  }

  static Stream<Arguments> formats() {
    return GptqFormat.BITS.stream()
        .flatMap(bits ->
            Stream.of(32, GptqFormat.WHOLE_ROWS)
                .flatMap(group ->
                    Stream.of(Version.values())
                        .map(v ->
                            Arguments.of(
                                new GptqFormat(
                                    bits, group, bits == 3, v == Version.GPTQ, 0.05, v)))));
  }

  /** Bytes are what the formula says, but for the length of whole rows. */
  @ParameterizedTest
  @MethodSource("formats")
  void isStoredAndReadAgain(GptqFormat format) throws IOException {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      Affine made = encoded(format, dense(), kernels, scope);
      Map<String, Tensor> tensors = format.layout().tensors(W, made, DType.BF16);
      assertThat(format.layout().tensors(W, Shape.of(ROWS, COLS), DType.BF16).orElseThrow())
          .containsExactlyElementsOf(
              tensors.entrySet().stream()
                  .map(e -> TensorInfo.of(e.getKey(), e.getValue()))
                  .toList());
      double share = format.groupSize() < 0 ? 24.0 / COLS - 24.0 / 4096 : 0;
      assertThat(8.0 * made.bytes() / made.elements()).isEqualTo(format.bitsPerWeight() + share);
      try (ShardedSafetensors checkpoint = stored(format).write(tensors)) {
        StoredWeights found = CheckpointReaders.find(checkpoint);
        assertThat(found.format()).contains(format);
        Affine loaded =
            (Affine)
                new FrozenWeights(checkpoint, Optional.<WeightFormat>of(format), kernels, scope)
                    .load(W);
        assertThat(loaded.index()).isEmpty();
        assertThat(SampleLayer.decoded(loaded)).isEqualTo(SampleLayer.decoded(made));
      }
    }
  }

  /** Encoding and loading give the same bits in every kernel set; an index is taken along. */
  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void everySetHoldsTheSame(String set) throws IOException {
    Map<String, Tensor> tensors = stored(FORMAT).tensors();
    Tensor index = Objects.requireNonNull(tensors.get(MODULE + ".g_idx"));
    for (int i = 0; i < COLS; i++) {
      index.setLong(i, (i * 7 + i / 5) % 3);
    }
    float[] expected;
    try (ShardedSafetensors checkpoint = stored(FORMAT).write(tensors);
        Kernels near = EachKernelSet.host();
        Scope host = Scope.open("host", near.memory());
        Kernels kernels = EachKernelSet.open(set);
        Scope scope = Scope.open("run", kernels.memory())) {
      expected =
          SampleLayer.decoded(new FrozenWeights(checkpoint, Optional.empty(), near, host).load(W));
      Affine loaded =
          (Affine) new FrozenWeights(checkpoint, Optional.empty(), kernels, scope).load(W);
      assertThat(loaded.index()).isPresent();
      Tensor out = scope.allocate("out", DType.F32, ROWS, COLS);
      kernels.products().decode(out, loaded);
      assertThat(TensorValues.of(kernels, out)).isEqualTo(expected);

      Tensor in = scope.allocate(W, DType.BF16, ROWS, COLS);
      Tensor values = host.allocate(W, DType.BF16, ROWS, COLS);
      near.moving().copy(values, dense());
      kernels.moving().copy(in, values);
      kernels.products().decode(out, encoded(FORMAT, in, kernels, scope));
      assertThat(TensorValues.of(kernels, out))
          .isEqualTo(SampleLayer.decoded(encoded(FORMAT, dense(), near, host)));
    }
  }

  /** Where the map's outputs count, rounding to the nearest is beaten at every width. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 8})
  void losesLessThanTheNearest(int bits) {
    SecondMoments moments = SampleLayer.moments(COLS);
    for (boolean symmetric : new boolean[] {false, true}) {
      for (int group : new int[] {16, 32, GptqFormat.WHOLE_ROWS}) {
        try (Kernels kernels = EachKernelSet.host();
            Scope scope = Scope.open("test", kernels.memory())) {
          GptqFormat plain = new GptqFormat(bits, group, symmetric, false, 0.01, Version.GPTQ_V2);
          Affine nearest = (Affine) plain.allocator(kernels, scope).allocate(W, ROWS, COLS);
          kernels.products().encode(nearest, dense());
          double error = SampleLayer.trace(nearest, dense(), moments.sum());
          double natural =
              SampleLayer.trace(encoded(plain, dense(), kernels, scope), dense(), moments.sum());
          GptqFormat sorted = new GptqFormat(bits, group, symmetric, true, 0.01, Version.GPTQ_V2);
          double act =
              SampleLayer.trace(encoded(sorted, dense(), kernels, scope), dense(), moments.sum());
          assertThat(natural).as(plain.describe()).isLessThan(0.5 * error);
          assertThat(act).as(sorted.describe()).isLessThan(0.5 * error);
        }
      }
    }
  }

  /** A zero point of 0 is 1, as the first version of the file format stores it less one. */
  @Test
  void weightsWithoutNegativeOnes() {
    Tensor in = SampleLayer.tensor(W, DType.F32, 32, 32);
    for (int i = 0; i < 32 * 32; i++) {
      in.setFloat(i, i / 32 == 1 ? 0 : 0.1 + i % 32);
    }
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      Affine made = encoded(new GptqFormat(4, 32), in, kernels, scope);
      for (int r = 0; r < 32; r++) {
        assertThat(made.zeros().get(r)).isBetween(1f, 15f);
      }
      float[] back = SampleLayer.decoded(made);
      assertThat(back[31]).as("within a step").isCloseTo(31.1f, offset(2.3f));
      assertThat(back[7]).as("of an input that is always 0").isZero();
      assertThat(back[40]).isZero();
    }
  }

  @Test
  void scalesBeyondFloat16() {
    Tensor in = SampleLayer.tensor(W, DType.F32, 32, 32);
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      for (int i = 0; i < 32 * 32; i++) {
        in.setFloat(i, (i % 3 - 1) * 1e-20);
      }
      for (float x : SampleLayer.decoded(encoded(new GptqFormat(4, 32), in, kernels, scope))) {
        assertThat(x).isZero();
      }
      in.setFloat(33, 3e6);
      assertThatThrownBy(() -> encoded(new GptqFormat(4, 32), in, kernels, scope))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("the scale of output 1, group 0 is beyond F16");
    }
  }

  @Test
  void groupsAndWordsDivideTheWeight() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      WeightFormat.Allocator allocator = new GptqFormat(4, 128).allocator(kernels, scope);
      assertThatThrownBy(() -> allocator.allocate(W, 64, 176))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("'%s' has 176 inputs, which groups of 128 do not".formatted(W))
          .hasMessageContaining("such as 16 for this one");
      assertThatThrownBy(
              () -> new GptqFormat(3, 16).layout().tensors(W, Shape.of(24, 32), DType.F16))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("is [24, 32], and the file format packs 3 bits");
      assertThatThrownBy(() -> FORMAT.encode(kernels, allocator.allocate(W, 1, 128), dense()))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("fitted to calibration data");
    }
    assertThatThrownBy(() -> new GptqFormat(5, 32)).hasMessageContaining("one of [8, 4, 3, 2]");
    assertThatThrownBy(() -> new GptqFormat(4, 0)).hasMessageContaining("or -1 for whole rows");
    assertThatThrownBy(() -> new GptqFormat(4, 32, true, true, 0, Version.GPTQ))
        .hasMessageContaining("damping of 0.0: expected a positive number");
  }

  static Stream<Arguments> damages() {
    String codes = MODULE + ".qweight";
    String zeros = MODULE + ".qzeros";
    String scales = MODULE + ".scales";
    String index = MODULE + ".g_idx";
    return Stream.of(
        damage(t -> t.remove(zeros), "has no '" + zeros + "' beside it"),
        damage(t -> t.remove(scales), "has no '" + scales + "' beside it"),
        damage(
            t -> t.put(codes, SampleLayer.tensor(codes, DType.I16, 12, 64)),
            codes + "' is I16[12, 64], expected I32[inputs * bits / 32, outputs]"),
        damage(
            t -> t.put(scales, SampleLayer.tensor(scales, DType.F16, 3, 48)),
            scales + "' is F16[3, 48], expected F16, BF16 or F32 [groups, 64]"),
        damage(
            t -> t.put(scales, SampleLayer.tensor(scales, DType.I32, 3, 64)),
            scales + "' is I32[3, 64], expected F16, BF16 or F32 [groups, 64]"),
        damage(
            t -> t.put(zeros, SampleLayer.tensor(zeros, DType.I32, 2, 8)),
            zeros + "' is I32[2, 8], expected I32[3, 64 * bits / 32]"),
        damage(
            t -> t.put(zeros, SampleLayer.tensor(zeros, DType.I32, 3, 10)),
            zeros + "' is I32[3, 10], expected I32[3, 64 * bits / 32] of 8, 4, 3 or 2 bits"),
        damage(
            t -> {
              t.put(scales, SampleLayer.tensor(scales, DType.F16, 5, 64));
              t.put(zeros, SampleLayer.tensor(zeros, DType.I32, 5, 8));
            },
            scales + "' is F16[5, 64], expected a number of groups that divides 12 words"),
        damage(
            t -> t.put(index, SampleLayer.tensor(index, DType.I32, 95)),
            index + "' is I32[95], expected I32[96]"),
        damage(
            t -> {
              t.put("b.qweight", SampleLayer.tensor("c", DType.I32, 8, 32));
              t.put("b.qzeros", SampleLayer.tensor("z", DType.I32, 4, 4));
              t.put("b.scales", SampleLayer.tensor("s", DType.F16, 4, 32));
            },
            "'" + W + "' is in 4 bits, groups of 32, and others are in 4 bits, groups of 16"));
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
        MODULE + ".g_idx",
        t -> t.setLong(40, 3),
        ".g_idx' has 3 at [40], expected a group from 0 to 2");
    stored.assertNotLoaded(
        MODULE + ".scales",
        t -> t.setFloat(70, Float.NaN),
        ".scales' has NaN at [1, 6]; expected finite numbers");
  }

  /** Files of others: no index, settings in quantize_config.json or none, another packing. */
  @Test
  void settingsBesideTheTensors() throws IOException {
    Map<String, Tensor> tensors = stored(FORMAT).tensors();
    tensors.remove(MODULE + ".g_idx");
    try (ShardedSafetensors checkpoint = stored(FORMAT).write(tensors)) {
      Files.delete(folder.resolve("config.json"));
      assertThat(CheckpointReaders.find(checkpoint).format())
          .contains(new GptqFormat(4, 32, true, false, 0.01, Version.GPTQ));
      Path other = folder.resolve("quantize_config.json");
      Files.writeString(
          other, "{\"sym\": false, \"damp_percent\": 0.1, \"checkpoint_format\": \"gptq_v2\"}");
      assertThat(CheckpointReaders.find(checkpoint).format())
          .contains(new GptqFormat(4, 32, false, false, 0.1, Version.GPTQ_V2));
      Files.writeString(other, "{\"checkpoint_format\": \"marlin\"}");
      assertThatThrownBy(() -> CheckpointReaders.find(checkpoint))
          .isInstanceOf(UnusableWeight.class)
          .hasMessage(
              other + ": \"checkpoint_format\" is \"marlin\", expected \"gptq\" or \"gptq_v2\"");
      Files.writeString(other, "{");
      assertThatThrownBy(() -> CheckpointReaders.find(checkpoint))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining(other + " is not valid JSON: ");
    }
  }

  @Test
  void theConfigTellsWhatTheTensorsTell() {
    var config = FORMAT.layout().config(DType.BF16, List.of("mlp.up_proj"));
    assertThat(config.toString())
        .isEqualTo(
            """
            {"quant_method":"gptq","bits":4,"group_size":32,"desc_act":true,"static_groups":true,\
            "sym":false,"damp_percent":0.01,"lm_head":false,"checkpoint_format":"gptq",\
            "dynamic":{"-:(.*\\\\.)?mlp\\\\.up_proj$":{}}}\
            """);
    assertThat(CheckpointReaders.summary(new JsonSection(config)))
        .isEqualTo(FORMAT.layout().summary());
    config.put("checkpoint_format", "bitblas");
    assertThatThrownBy(() -> CheckpointReaders.summary(new JsonSection(config)))
        .hasMessageContaining("\"bitblas\"; supported: \"gptq\" or \"gptq_v2\"");
    config.put("checkpoint_format", "gptq_v2").put("bits", 5);
    assertThatThrownBy(() -> CheckpointReaders.summary(new JsonSection(config)))
        .hasMessageContaining("\"bits\" is 5; supported: 8, 4, 3 or 2");
    var awq = JsonMapper.shared().createObjectNode().put("quant_method", "awq").put("bits", 4);
    assertThat(CheckpointReaders.summary(new JsonSection(awq))).isEqualTo("AWQ, 4 bits");
    awq.put("version", "gemv");
    assertThatThrownBy(() -> CheckpointReaders.summary(new JsonSection(awq)))
        .hasMessageContaining("\"version\" is \"gemv\"; supported: \"gemm\"");
  }
}
