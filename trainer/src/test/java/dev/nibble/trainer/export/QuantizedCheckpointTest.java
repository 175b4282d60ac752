package dev.nibble.trainer.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.model.config.ModelFolder;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A checkpoint in 4 bits is what bitsandbytes and transformers would have saved. */
final class QuantizedCheckpointTest {
  private static final FourBitFormat NF4 = new FourBitFormat(QuantType.NF4, 64, true);

  @TempDir private Path folder;
  private final Kernels kernels = KernelSets.require("cpu").open(KernelOptions.exact(2));

  @AfterEach
  void close() {
    kernels.close();
  }

  private static Path bnb(String name) {
    try {
      return Path.of(
              Objects.requireNonNull(QuantizedCheckpointTest.class.getResource("/golden/bnb"))
                  .toURI())
          .resolve(name);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Set<String> linears(ShardedSafetensors source) {
    return new HashSet<>(ModelLoader.linearWeights(bnb("base"), source));
  }

  /** {@code base} holds the weights that bitsandbytes made the golden checkpoint of. */
  private static QuantizedCheckpoint rounded(
      ShardedSafetensors source, Set<String> quantized, WeightFormat format, Kernels kernels) {
    return new QuantizedCheckpoint(
        source,
        quantized,
        format.layout(),
        QuantizedCheckpoint.rounding(source, format, kernels),
        kernels);
  }

  @Test
  @Tag("golden")
  void isTheFileOfBitsandbytesToTheByte() throws IOException {
    List<Long> progress = new ArrayList<>();
    try (ShardedSafetensors source = ShardedSafetensors.open(bnb("base"))) {
      QuantizedCheckpoint.Result result =
          rounded(source, linears(source), NF4, kernels)
              .write(
                  folder,
                  1L << 30,
                  (done, total) -> {
                    progress.add(done);
                    assertThat(done).isLessThanOrEqualTo(total);
                    assertThat(total).isEqualTo(2 * 133_440);
                  });
      assertThat(result.files()).isEqualTo(1);
    }
    assertThat(progress).isSorted().endsWith(2L * 133_440);
    assertThat(folder.resolve("model.safetensors"))
        .hasSameBinaryContentAs(bnb("checkpoint").resolve("model.safetensors"));
    assertThat(folder).isDirectoryNotContaining("glob:**/*.index.json");
  }

  @ParameterizedTest
  @CsvSource({
    "NF4, 64, true, 20000",
    "FP4, 64, false, 20000",
    "NF4, 128, false, 1",
    "FP4, 32, true, 1"
  })
  void loadsAsItIsQuantisedAtLoad(QuantType type, int block, boolean nested, long shard)
      throws IOException {
    FourBitFormat format = new FourBitFormat(type, block, nested);
    String skipped = "model.layers.1.mlp.down_proj.weight";
    try (ShardedSafetensors source = ShardedSafetensors.open(bnb("base"));
        Scope scope = Scope.open("test", kernels.memory())) {
      Set<String> linears = linears(source);
      linears.remove(skipped);
      QuantizedCheckpoint.Result result =
          rounded(source, linears, format, kernels).write(folder, shard, (done, total) -> {});
      assertThat(result.files()).isGreaterThan(5);
      try (ShardedSafetensors written = ShardedSafetensors.open(folder)) {
        FrozenWeights before = new FrozenWeights(source, Optional.of(format), kernels, scope);
        FrozenWeights after = new FrozenWeights(written, Optional.of(format), kernels, scope);
        for (String name : linears) {
          assertThat(after.load(name)).isInstanceOf(Codebook.class);
          assertThat(values(after.load(name), scope))
              .as(name)
              .isEqualTo(values(before.load(name), scope));
        }
        for (String name : List.of(skipped, "lm_head.weight", "model.norm.weight")) {
          assertThat(written.tensor(name).dtype()).isEqualTo(DType.BF16);
          assertThat(written.tensor(name).memory().toArray(ValueLayout.JAVA_BYTE))
              .isEqualTo(source.tensor(name).memory().toArray(ValueLayout.JAVA_BYTE));
        }
      }
    }
  }

  private float[] values(FrozenMatrix weight, Scope scope) {
    Tensor dense = scope.allocate("dense", DType.F32, weight.rows(), weight.cols());
    kernels.products().decode(dense, weight);
    return dense.toFloats();
  }

  @Test
  void configIsThatOfTransformers() throws IOException {
    ModelFolder base = new ModelFolder(bnb("base"));
    JsonMapper json = JsonMapper.shared();
    JsonNode made = json.readTree(base.configOf(NF4, DType.BF16, List.of(), false));
    JsonNode golden = json.readTree(Files.readString(bnb("checkpoint").resolve("config.json")));
    assertThat(made).isEqualTo(golden);
    JsonNode whole =
        json.readTree(
            base.configOf(
                new FourBitFormat(QuantType.FP4, 64, false),
                DType.F32,
                List.of("model.layers.0.mlp.down_proj"),
                true));
    assertThat(whole.get("tie_word_embeddings").asBoolean(true)).isFalse();
    JsonNode other = whole.get("quantization_config");
    assertThat(other.get("bnb_4bit_quant_type").asString()).isEqualTo("fp4");
    assertThat(other.get("bnb_4bit_use_double_quant").asBoolean()).isFalse();
    assertThat(other.get("bnb_4bit_compute_dtype").asString()).isEqualTo("float32");
    assertThat(other.get("llm_int8_skip_modules").valueStream().map(JsonNode::asString))
        .containsExactly("model.layers.0.mlp.down_proj", "lm_head");
  }

  @Test
  void whatIsInFourBitsIsNotQuantisedAgain() {
    try (ShardedSafetensors source = ShardedSafetensors.open(bnb("checkpoint"))) {
      FourBitFormat fp4 = new FourBitFormat(QuantType.FP4, 64, true);
      QuantizedCheckpoint again = rounded(source, linears(source), fp4, kernels);
      assertThatThrownBy(() -> again.write(folder, 1L << 30, (done, total) -> {}))
          .hasMessageContaining("cannot be put in FP4");
    }
  }
}
