package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.AdapterException;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.objective.Objective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("golden")
final class ModelLoaderTest {
  private static final String SETS = "dev.nibble.trainer.model.build.ModelFixture#kernelSetNames";
  private static final ModelOptions ALL = ModelFixture.options(new Training.AllWeights());
  private static final ModelOptions NOTHING = ModelFixture.options(new Training.Nothing());
  private static final Path LLAMA = Golden.model("llama");

  @TempDir private Path folder;

  @ParameterizedTest
  @MethodSource(SETS)
  void whatIsSavedIsLoaded(String set) throws IOException {
    TinyModel.LLAMA_TIED.config(folder);
    Files.writeString(folder.resolve("tokenizer.json"), "{}");
    Path saved = folder.resolve("saved");
    Path half = folder.resolve("half");
    try (Kernels kernels = ModelFixture.open(set);
        Scope scope = Scope.open("test", kernels.memory())) {
      CausalLm model = ModelLoader.initialise(folder, 3, ALL, kernels, scope);
      Objective objective = ModelFixture.nextToken(model, kernels, scope);
      double loss = model.evaluate(TinyModel.batch(), objective).sum();
      ModelWriter.save(saved, folder, model.parameters(), DType.F32, kernels);
      ModelWriter.save(half, folder, model.parameters(), DType.BF16, kernels);

      CausalLm again = ModelLoader.load(saved, ALL, kernels, scope);
      assertThat(TensorValues.of(kernels, again.parameters().weights()))
          .isEqualTo(TensorValues.of(kernels, model.parameters().weights()));
      float[] before = TensorValues.of(kernels, model.parameters().weights());
      kernels.moving().fill(model.parameters().weights(), 0);
      ModelLoader.restore(saved, model.parameters(), kernels);
      assertThat(TensorValues.of(kernels, model.parameters().weights())).isEqualTo(before);
      CausalLm frozen = ModelLoader.load(half, NOTHING, kernels, scope);
      assertThat(frozen.evaluate(TinyModel.batch(), objective).sum())
          .isCloseTo(loss, within(0.01 * loss));
    }
    assertThat(saved.resolve("tokenizer.json")).hasContent("{}");
    assertThat(half.resolve("config.json")).content().contains("bfloat16").contains("\"llama\"");
  }

  @ParameterizedTest
  @MethodSource(SETS)
  void reportsEveryTensorThatDoesNotFit(String set) throws IOException {
    Files.copy(LLAMA.resolve("model.safetensors"), folder.resolve("model.safetensors"));
    String config =
        Files.readString(LLAMA.resolve("config.json"))
            .replace("\"intermediate_size\": 176", "\"intermediate_size\": 200")
            .replace("\"attention_bias\": false", "\"attention_bias\": true")
            .replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1");
    Files.writeString(folder.resolve("config.json"), config);
    assertThatThrownBy(() -> load(set, folder, NOTHING))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(
            "mlp.up_proj.weight is F32[176, 64], expected [200, 64] of F32, BF16 or F16")
        .hasMessageContaining("missing model.layers.0.self_attn.q_proj.bias [64]")
        .hasMessageContaining("unexpected model.layers.1.input_layernorm.weight");
  }

  @ParameterizedTest
  @MethodSource(SETS)
  void refusesAFolderThatIsNoModel(String set) {
    assertThatThrownBy(() -> load(set, folder, NOTHING))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(folder + " is not a model: it has no config.json");
  }

  @ParameterizedTest
  @MethodSource(SETS)
  void listsTheModulesWhenATargetIsUnknown(String set) {
    LoraSpec spec = new LoraSpec(4, 8, 0, TargetModules.named(List.of("q_proj", "qkv", "c_attn")));
    ModelOptions options = ModelFixture.options(new Training.Adapter(spec, 1));
    assertThatThrownBy(() -> load(set, LLAMA, options))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("[qkv, c_attn] match no module")
        .hasMessageContaining(
            "[down_proj, embed_tokens, gate_proj, k_proj, lm_head, o_proj, q_proj, up_proj, v_proj]");
  }

  @ParameterizedTest
  @MethodSource(SETS)
  void refusesBatchesThatAreTooLong(String set) {
    ModelOptions wide =
        new ModelOptions(new Training.Nothing(), Optional.empty(), 200, Checkpointing.FULL);
    try (ModelFixture f = ModelFixture.load(set, LLAMA, wide)) {
      assertThatThrownBy(() -> f.model.evaluate(batch(201), f.objective))
          .hasMessageContaining("batch of 201 tokens; this model was built for at most 200");
      assertThatThrownBy(() -> f.model.evaluate(batch(129), f.objective))
          .hasMessageContaining("sample of 129 tokens; the model's max_position_embeddings is 128");
    }
  }

  @ParameterizedTest
  @MethodSource(SETS)
  void namesWhatItsMemoryIsFor(String set) {
    LoraSpec spec = new LoraSpec(4, 8, 0, TargetModules.allLinear());
    ModelOptions options =
        ModelFixture.options(
            new Training.Adapter(spec, 1),
            new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true));
    try (ModelFixture f = ModelFixture.load(set, LLAMA, options)) {
      assertThat(f.scope.groups())
          .containsOnlyKeys(
              "weights", "embeddings", "adapters", "gradients", "activations", "logits", "scratch");
      assertThat(f.scope.groups()).containsEntry("embeddings", 2L * 320 * 64 * 4);
    }
  }

  private static void load(String set, Path folder, ModelOptions options) {
    ModelFixture.load(set, folder, options).close();
  }

  private static Batch batch(int length) {
    return Batch.of(List.of(new Sample(new int[length], new boolean[length])));
  }
}
