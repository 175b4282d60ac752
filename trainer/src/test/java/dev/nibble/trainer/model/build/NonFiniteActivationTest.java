package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.ModelConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where NaN begins in a forward pass, also in layers whose activations are not kept. */
final class NonFiniteActivationTest {
  private static final Batch BATCH =
      Batch.of(
          List.of(new Sample(new int[] {1, 2, 3, 4}, new boolean[] {false, true, true, true})));

  @ParameterizedTest
  @CsvSource({
    "model.embed_tokens.weight, the embeddings",
    "model.layers.0.input_layernorm.weight, normed1 of layer 0",
    "model.layers.1.self_attn.k_proj.weight, k of layer 1",
    "model.layers.1.mlp.up_proj.weight, up of layer 1",
    "model.layers.2.mlp.down_proj.weight, the output of layer 2",
    "lm_head.weight, the logits"
  })
  void isNamed(String weight, String expected) {
    try (Kernels kernels = KernelSets.require("cpu").open(KernelOptions.exact(1));
        Scope scope = Scope.open("run", kernels.memory())) {
      ModelOptions options =
          new ModelOptions(new Training.AllWeights(), Optional.empty(), 16, Checkpointing.FULL);
      CausalLm model = RandomModel.make(shape(), 1, options, kernels, scope, part -> {}).model();
      assertThat(model.firstNonFinite(BATCH)).isEmpty();
      float[] poison = new float[(int) model.parameters().named(weight).weight().elements()];
      Arrays.fill(poison, Float.NaN);
      model.parameters().named(weight).weight().put(poison);
      assertThat(model.firstNonFinite(BATCH)).contains(expected);
    }
  }

  private static ModelConfig shape() {
    return ModelConfig.parse(
        "config.json",
        """
        {"model_type": "llama", "vocab_size": 64, "hidden_size": 64, "intermediate_size": 128,
         "num_hidden_layers": 3, "num_attention_heads": 2, "num_key_value_heads": 1,
         "max_position_embeddings": 64, "tie_word_embeddings": false}\
        """);
  }
}
