package dev.nibble.quant.int8;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.EachKernelSet;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class Int8FormatTest {
  private static final String W = "model.layers.0.self_attn.q_proj.weight";
  private static final Int8Format FORMAT = new Int8Format(16);
  private static final int ROWS = 24;
  private static final int COLS = 48;

  @TempDir Path folder;

  private static Tensor dense(Scope scope) {
    Random random = new Random(3);
    Tensor t = scope.allocate(W, DType.BF16, ROWS, COLS);
    for (int i = 0; i < ROWS * COLS; i++) {
      t.setFloat(i, random.nextGaussian() * 0.02);
    }
    return t;
  }

  /** The tensors of a weight as they are stored. */
  private static Map<String, Tensor> stored(Kernels kernels, Scope scope) {
    FrozenMatrix matrix = FORMAT.allocator(kernels, scope).allocate(W, ROWS, COLS);
    FORMAT.encode(kernels, matrix, dense(scope));
    return FORMAT.layout().tensors(W, matrix, DType.BF16);
  }

  private Path write(Map<String, Tensor> tensors) throws IOException {
    SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
    return folder;
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void whatIsStoredLoadsAsWhatIsQuantisedAtLoad(String set) throws IOException {
    try (Kernels near = EachKernelSet.host();
        Scope host = Scope.open("host", Memory.host())) {
      Map<String, Tensor> tensors = stored(near, host);
      assertThat(FORMAT.layout().tensors(W, Shape.of(ROWS, COLS), DType.BF16).orElseThrow())
          .containsExactlyElementsOf(
              tensors.entrySet().stream()
                  .map(e -> TensorInfo.of(e.getKey(), e.getValue()))
                  .toList());
      write(tensors);
    }
    try (Kernels kernels = EachKernelSet.open(set);
        Scope scope = Scope.open("run", kernels.memory());
        ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      StoredWeights found = CheckpointReaders.find(checkpoint);
      assertThat(found.format()).contains(FORMAT);
      assertThat(found.shape(W)).contains(Shape.of(ROWS, COLS));
      assertThat(found.companions()).containsExactlyInAnyOrder(W + "_scale", W + "_zero_point");
      FrozenMatrix loaded =
          new FrozenWeights(checkpoint, Optional.<WeightFormat>of(FORMAT), kernels, scope).load(W);
      Tensor values = scope.allocate("values", DType.F32, ROWS, COLS);
      kernels.products().decode(values, loaded);

      Tensor dense = scope.allocate("dense", DType.BF16, ROWS, COLS);
      try (Scope host = Scope.open("host", Memory.host())) {
        kernels.moving().copy(dense, dense(host));
      }
      FrozenMatrix made = FORMAT.allocator(kernels, scope).allocate("again", ROWS, COLS);
      FORMAT.encode(kernels, made, dense);
      Tensor again = scope.allocate("again", DType.F32, ROWS, COLS);
      kernels.products().decode(again, made);
      assertThat(TensorValues.of(kernels, values)).isEqualTo(TensorValues.of(kernels, again));
      assertThat(made.bytes()).isEqualTo(loaded.bytes());
      assertThat(8.0 * made.bytes() / made.elements()).isEqualTo(FORMAT.bitsPerWeight());
      try (HostCopies copies = new HostCopies(kernels)) {
        float[] plain = new float[ROWS * COLS];
        made.over(copies::of).decode(0, plain.length, MemorySegment.ofArray(plain));
        assertThat(TensorValues.of(kernels, again)).isEqualTo(plain);
      }
    }
  }

  @Test
  void groupsDivideTheInputs() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      WeightFormat.Allocator allocator = new Int8Format(128).allocator(kernels, scope);
      assertThatThrownBy(() -> allocator.allocate(W, 64, 176))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining(
              "tensor '%s' has 176 inputs, which groups of 128 do not divide".formatted(W))
          .hasMessageContaining("such as 16 for this one");
    }
    assertThatThrownBy(() -> new Int8Format(0)).isInstanceOf(IllegalArgumentException.class);
  }

  interface Change {
    void in(Map<String, Tensor> tensors);
  }

  private static Tensor zeros(DType dtype, long... dims) {
    Shape shape = Shape.of(dims);
    byte[] bytes = new byte[Math.toIntExact(shape.elements() * dtype.bytes())];
    return Tensor.onHost("zeros", dtype, shape, MemorySegment.ofArray(bytes));
  }

  static Stream<Arguments> damages() {
    String scale = W + "_scale";
    String zero = W + "_zero_point";
    return Stream.of(
        damage(t -> t.remove(zero), "has no '" + zero + "' beside it"),
        damage(t -> t.remove(W), "has no '" + W + "' beside it"),
        damage(
            t -> t.put(W, zeros(DType.BF16, ROWS, COLS)),
            "is BF16[24, 48], expected I8[outputs, inputs]"),
        damage(
            t -> t.put(scale, zeros(DType.F32, ROWS, 5)),
            "is F32[24, 5], expected F32[24, groups], groups a divisor of 48"),
        damage(t -> t.put(zero, zeros(DType.I8, ROWS, 2)), "is I8[24, 2], expected I8[24, 3]"),
        damage(
            t -> {
              t.put("b.weight", zeros(DType.I8, 4, 8));
              t.put("b.weight_scale", zeros(DType.F32, 4, 1));
              t.put("b.weight_zero_point", zeros(DType.I8, 4, 1));
            },
            "in groups of 8"));
  }

  private static Arguments damage(Change change, String message) {
    return Arguments.of(change, message);
  }

  @ParameterizedTest
  @MethodSource("damages")
  void saysWhatIsWrong(Change change, String message) throws IOException {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      Map<String, Tensor> tensors = new LinkedHashMap<>(stored(kernels, scope));
      change.in(tensors);
      write(tensors);
    }
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      assertThatThrownBy(() -> CheckpointReaders.find(checkpoint))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining(folder.resolve("model.safetensors").toString())
          .hasMessageContaining(message);
    }
  }

  @Test
  void scalesAreNumbersAndFormatsAreNotMixed() throws IOException {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      Map<String, Tensor> tensors = new LinkedHashMap<>(stored(kernels, scope));
      Objects.requireNonNull(tensors.get(W + "_scale")).setFloat(4, Float.NaN);
      try (ShardedSafetensors checkpoint = ShardedSafetensors.open(write(tensors))) {
        FrozenWeights weights = new FrozenWeights(checkpoint, Optional.empty(), kernels, scope);
        assertThatThrownBy(() -> weights.load(W))
            .isInstanceOf(UnusableWeight.class)
            .hasMessageContaining("_scale' has NaN at [1, 1], expected a number");
      }
      WeightFormat nf4 = new FourBitFormat(QuantType.NF4, 64, false);
      FrozenMatrix four = nf4.allocator(kernels, scope).allocate("b.weight", 4, 64);
      tensors.putAll(nf4.layout().tensors("b.weight", four, DType.BF16));
      try (ShardedSafetensors checkpoint = ShardedSafetensors.open(write(tensors))) {
        assertThatThrownBy(() -> CheckpointReaders.find(checkpoint))
            .isInstanceOf(UnusableWeight.class)
            .hasMessageContaining("several formats")
            .hasMessageContaining("NF4, blocks of 64")
            .hasMessageContaining("INT8, groups of 16");
      }
    }
  }

  @Test
  void configNamesTheLayout() {
    assertThat(FORMAT.layout().config(DType.BF16, List.of("model.layers.0.mlp.up_proj")))
        .hasToString(
            "{\"quant_method\":\"compressed-tensors\",\"format\":\"int-quantized\",\"quantization_status\":\"compressed\",\"config_groups\":{\"group_0\":{\"targets\":[\"Linear\"],\"weights\":{\"num_bits\":8,\"type\":\"int\",\"symmetric\":false,\"strategy\":\"group\",\"group_size\":16},\"input_activations\":null,\"output_activations\":null}},\"ignore\":[\"lm_head\",\"model.layers.0.mlp.up_proj\"]}");
  }
}
