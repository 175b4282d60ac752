package dev.nibble.quant.bnb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardPlan;
import dev.nibble.compute.safetensors.ShardPlan.Shard;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.EachKernelSet;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class FourBitCheckpointTest {
  private static final String W = "model.layers.0.self_attn.q_proj.weight";
  private static final FourBitFormat NF4 = new FourBitFormat(QuantType.NF4, 64, true);
  private static final int ROWS = 33;
  private static final int COLS = 50;

  @TempDir Path folder;

  /** A weight as it is quantised at load, and its tensors. */
  private record Made(Tensor dense, Map<String, Tensor> tensors) {}

  private static Made make(Kernels kernels, Scope scope, String name, FourBitFormat format) {
    Tensor dense = scope.allocate("dense", DType.BF16, ROWS, COLS);
    Random random = new Random(name.hashCode());
    for (int i = 0; i < ROWS * COLS; i++) {
      dense.setFloat(i, random.nextGaussian() * 0.02);
    }
    Codebook q = format.allocator(kernels, scope).allocate(name, ROWS, COLS);
    kernels.products().encode(q, dense);
    FourBitLayout layout = format.layout();
    Map<String, Tensor> tensors = new LinkedHashMap<>(layout.tensors(name, q, DType.BF16));
    assertThat(layout.tensors(name, dense.shape(), DType.BF16).isEmpty())
        .isEqualTo(format.doubleQuant());
    layout
        .tensors(name, dense.shape(), DType.BF16)
        .ifPresent(all -> assertThat(all).containsExactlyInAnyOrderElementsOf(infos(tensors)));
    return new Made(dense, tensors);
  }

  private static List<TensorInfo> infos(Map<String, Tensor> tensors) {
    return tensors.entrySet().stream().map(e -> TensorInfo.of(e.getKey(), e.getValue())).toList();
  }

  static Stream<Arguments> formats() {
    return EachKernelSet.names()
        .flatMap(set ->
            Stream.of(
                    NF4,
                    new FourBitFormat(QuantType.NF4, 64, false),
                    new FourBitFormat(QuantType.FP4, 128, true),
                    new FourBitFormat(QuantType.FP4, 32, false))
                .map(format -> Arguments.of(set, format)));
  }

  @ParameterizedTest
  @MethodSource("formats")
  void givesBackWhatWasQuantisedWhereverItsTensorsLie(String set, FourBitFormat format)
      throws IOException {
    try (Kernels kernels = EachKernelSet.open(set);
        Scope scope = Scope.open("test", kernels.memory());
        Kernels near = EachKernelSet.host();
        Scope host = Scope.open("made", Memory.host())) {
      Made made = make(near, host, W, format);
      // A limit so low that each tensor has a file of its own.
      ShardPlan plan = ShardPlan.of(infos(made.tensors()), 1);
      assertThat(plan.shards()).hasSameSizeAs(made.tensors().keySet());
      for (Shard shard : plan.shards()) {
        String name = shard.tensors().getFirst().name();
        SafetensorsWriter.write(
            folder.resolve(shard.file()), Map.of(name, made.tensors().get(name)), Map.of());
      }
      plan.writeIndex(folder, ROWS * COLS);
      try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
        StoredWeights found = CheckpointReaders.find(checkpoint);
        assertThat(found.format()).contains(format);
        assertThat(found.companions()).hasSize(format.doubleQuant() ? 5 : 3).doesNotContain(W);
        assertThat(found.shape(W)).contains(Shape.of(ROWS, COLS));
        for (Optional<WeightFormat> asked :
            List.of(Optional.<WeightFormat>of(format), Optional.<WeightFormat>empty())) {
          FrozenMatrix weight = new FrozenWeights(checkpoint, asked, kernels, scope).load(W);
          Codebook expected = format.allocator(near, host).allocate("again", ROWS, COLS);
          near.products().encode(expected, made.dense());
          Tensor one = scope.allocate("one", DType.F32, ROWS, COLS);
          Tensor two = host.allocate("two", DType.F32, ROWS, COLS);
          kernels.products().decode(one, weight);
          near.products().decode(two, expected);
          assertThat(TensorValues.of(kernels, one)).isEqualTo(two.toFloats());
          assertThat(weight.bytes()).isEqualTo(expected.bytes());
        }
      }
    }
  }

  interface Change {
    void in(Map<String, Tensor> tensors);
  }

  /** Writes a checkpoint of one weight with this change in it, and one dense tensor. */
  private ShardedSafetensors changed(FourBitFormat format, Change change) throws IOException {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      Map<String, Tensor> tensors = make(kernels, scope, W, format).tensors();
      tensors.put("skipped.weight", scope.allocate("skipped.weight", DType.BF16, 4, 64));
      change.in(tensors);
      SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
    }
    return ShardedSafetensors.open(folder);
  }

  @Test
  void whatWasSkippedStaysDenseAndTablesAreShared() throws IOException {
    try (ShardedSafetensors checkpoint =
            changed(
                NF4,
                tensors ->
                    List.copyOf(tensors.keySet())
                        .forEach(name -> {
                          if (name.startsWith(W)) {
                            tensors.put(name.replace("q_proj", "v_proj"), tensors.get(name));
                          }
                        }));
        Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      FrozenWeights weights = new FrozenWeights(checkpoint, Optional.of(NF4), kernels, scope);
      assertThat(weights.load("skipped.weight")).isInstanceOf(Dense.class);
      Codebook q = (Codebook) weights.load(W);
      Codebook v = (Codebook) weights.load(W.replace("q_p", "v_p"));
      assertThat(q.codebook()).isSameAs(v.codebook());
      assertThat(q.codebook().toFloats()).isEqualTo(FourBitCodebook.of(QuantType.NF4));
      assertThat(q.codes()).isNotSameAs(v.codes());
      assertThatThrownBy(() ->
              new FrozenWeights(
                  checkpoint,
                  Optional.of(new FourBitFormat(QuantType.FP4, 64, true)),
                  kernels,
                  scope))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining(
              "in NF4, blocks of 64, double quantisation already and cannot be put in FP4");
    }
  }

  /** {@code bnb_4bit_quant_storage} types the bytes of codes otherwise; an own table is used. */
  @Test
  void takesCodesOfAnotherTypeAndTheTableOfTheFile() throws IOException {
    try (ShardedSafetensors checkpoint =
            changed(
                new FourBitFormat(QuantType.NF4, 64, false),
                tensors -> {
                  tensors.computeIfPresent(
                      W, (n, t) -> Tensor.onHost(n, DType.I8, t.shape(), t.memory()));
                  tensors.computeIfPresent(W + ".quant_map", (n, t) -> t.put(-8f));
                });
        Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      Codebook q =
          (Codebook) new FrozenWeights(checkpoint, Optional.empty(), kernels, scope).load(W);
      assertThat(q.codebook().getFloat(0)).isEqualTo(-8);
      assertThat(q.codes().memory().toArray(ValueLayout.JAVA_BYTE))
          .isEqualTo(checkpoint.tensor(W).memory().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void aCheckpointWithoutStatesIsNotInFourBits() throws IOException {
    try (ShardedSafetensors checkpoint =
        changed(NF4, tensors -> tensors.keySet().removeIf(n -> n.startsWith(W)))) {
      StoredWeights none = CheckpointReaders.find(checkpoint);
      assertThat(none.format()).isEmpty();
      assertThat(none.companions()).isEmpty();
      assertThat(none.shape("skipped.weight")).isEmpty();
    }
  }

  private static Tensor bytes(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return Tensor.onHost("b", DType.U8, Shape.of(bytes.length), MemorySegment.ofArray(bytes));
  }

  private static Change state(String from, String to) {
    String name = W + ".quant_state.bitsandbytes__nf4";
    return tensors ->
        tensors.computeIfPresent(
            name,
            (n, t) -> {
              String json =
                  new String(t.memory().toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
              assertThat(json).contains(from);
              return bytes(json.replace(from, to));
            });
  }

  private static Tensor zeros(DType dtype, long... shape) {
    Shape s = Shape.of(shape);
    return Tensor.onHost(
        "z", dtype, s, MemorySegment.ofArray(new byte[(int) s.elements() * dtype.bytes()]));
  }

  private static Change put(String suffix, Tensor tensor) {
    return tensors -> tensors.put(W + suffix, tensor);
  }

  private static Change remove(String suffix) {
    return tensors -> tensors.remove(W + suffix);
  }

  static Stream<Arguments> damages() {
    String state = ".quant_state.bitsandbytes__nf4";
    return Stream.of(
        Arguments.of(remove(".quant_map"), "has no '" + W + ".quant_map', expected F32[16]"),
        Arguments.of(remove(".absmax"), "has no '" + W + ".absmax', expected U8[26]"),
        Arguments.of(remove(".nested_absmax"), "expected F32[1]"),
        Arguments.of(remove(".nested_quant_map"), "expected F32[256]"),
        Arguments.of(remove(""), "has no '" + W + "', expected U8[825, 1]"),
        Arguments.of(remove(state), "belongs to no quant state of '" + W + "'"),
        Arguments.of(
            put("", zeros(DType.U8, 824, 1)),
            "is U8[824, 1] of 824 bytes, expected codes of 825 bytes for a 4-bit weight [33, 50]"),
        Arguments.of(put(".absmax", zeros(DType.U8, 25)), "is U8[25] of 25 bytes, expected U8[26]"),
        Arguments.of(
            put(".absmax", zeros(DType.F32, 26)), "is F32[26] of 104 bytes, expected U8[26]"),
        Arguments.of(put(".quant_map", zeros(DType.F32, 15)), "expected F32[16]"),
        Arguments.of(put(".nested_quant_map", zeros(DType.F32, 16)), "expected F32[256]"),
        Arguments.of(
            put(".quant_state.bitsandbytes__fp4", bytes("{}")),
            "quant_state.bitsandbytes__fp4' lacks [blocksize, dtype, quant_type, shape]"),
        Arguments.of(
            put(".quant_state.bitsandbytes__int8", bytes("{}")),
            "is a quant state of a kind that Nibble does not read; it reads ….quant_state.bitsandbytes__nf4 and"),
        Arguments.of(put(state, bytes("{")), "is not JSON"),
        Arguments.of(put(state, bytes("[1]")), "is not a JSON object"),
        Arguments.of(
            state("\"blocksize\"", "\"block\""), "has unknown [block]; expected [quant_type"),
        Arguments.of(state("}", ", \"x\": 1}"), "has unknown [x]"),
        Arguments.of(state("\"nested_dtype\": \"float32\", ", ""), "lacks [nested_dtype]"),
        Arguments.of(state("\"nf4\"", "\"fp4\""), "has quant_type \"fp4\", expected \"nf4\", as"),
        Arguments.of(state("64", "48"), "has blocksize 48, expected one of [32, 64"),
        Arguments.of(state("256", "128"), "has nested_blocksize 128, expected 256"),
        Arguments.of(state("\"float32\"", "\"float64\""), "has nested_dtype \"float64\", expected"),
        Arguments.of(state("bfloat16", "int8"), "has dtype \"int8\", expected \"float32\""),
        Arguments.of(state("[33, 50]", "[33]"), "has shape [33], expected [outputs, inputs]"),
        Arguments.of(state("[33, 50]", "[33, -50]"), "has shape [33,-50], expected"),
        Arguments.of(
            state("[33, 50]", "[4294967296, 4294967296]"), "expected fewer than 2^63 weights"),
        Arguments.of(state("[33, 50]", "[34, 50]"), "expected codes of 850 bytes"),
        Arguments.of(
            state("\"nested_offset\": ", "\"nested_offset\": 1e99, \"nested_offset\": "),
            "is not JSON"));
  }

  @ParameterizedTest
  @MethodSource("damages")
  void saysWhatIsWrong(Change change, String message) throws IOException {
    try (ShardedSafetensors checkpoint = changed(NF4, change)) {
      assertThatThrownBy(() -> FourBitCheckpoint.of(checkpoint))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageStartingWith(folder.resolve("model.safetensors") + ": ")
          .hasMessageContaining(message);
    }
  }

  @Test
  void aWeightHasOneStateAndAllHaveOneFormat() throws IOException {
    Change second =
        tensors ->
            tensors.put(
                W + ".quant_state.bitsandbytes__fp4",
                bytes(
                    "{\"quant_type\": \"fp4\", \"blocksize\": 64, \"dtype\": \"bfloat16\", \"shape\": [33, 50],"
                        + " \"nested_blocksize\": 256, \"nested_dtype\": \"float32\", \"nested_offset\": 0.5}"));
    try (ShardedSafetensors checkpoint = changed(NF4, second)) {
      assertThatThrownBy(() -> FourBitCheckpoint.of(checkpoint))
          .hasMessageContaining("tensor '" + W + "' has two quant states; expected one");
    }
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", Memory.host())) {
      Map<String, Tensor> tensors = make(kernels, scope, W, NF4).tensors();
      tensors.putAll(
          make(kernels, scope, "b.weight", new FourBitFormat(QuantType.FP4, 64, false)).tensors());
      SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
    }
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      assertThatThrownBy(() -> FourBitCheckpoint.of(checkpoint))
          .hasMessageContaining("expected one format for all");
    }
  }

  @Test
  void statisticsMustBeNumbers() throws IOException {
    try (ShardedSafetensors checkpoint =
            changed(
                NF4, t -> t.computeIfPresent(W + ".nested_absmax", (n, x) -> x.put(Float.NaN)));
        Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      FrozenWeights weights = new FrozenWeights(checkpoint, Optional.empty(), kernels, scope);
      assertThatThrownBy(() -> weights.load(W))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("nested_absmax' has NaN at [0], expected a number");
    }
  }
}
