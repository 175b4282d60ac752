package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.adapters.AdapterException;
import dev.nibble.adapters.AdapterMerge;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ChangedTensors;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.trainer.model.Training;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever is not finite is found when it is loaded, and named. */
final class NonFiniteWeightsTest {
  private static final LoraSpec LORA = new LoraSpec(2, 4, 0, TargetModules.allLinear());

  @TempDir private Path folder;

  @BeforeEach
  void writeABase() throws IOException {
    try (Kernels kernels = ModelFixture.open("cpu")) {
      DistantModelTest.initialised(TinyModel.LLAMA, kernels, folder);
    }
  }

  static Stream<Arguments> weights() {
    return Stream.of(
            "model.embed_tokens.weight",
            "lm_head.weight",
            "model.norm.weight",
            "model.layers.1.input_layernorm.weight",
            "model.layers.0.self_attn.q_proj.bias",
            "model.layers.0.mlp.up_proj.weight")
        .flatMap(tensor ->
            Stream.of(
                    new Training.Nothing(),
                    new Training.AllWeights(),
                    new Training.Adapter(LORA, 1),
                    new Training.Adapter(LORA.withModulesToSave("lm_head", "norm"), 1))
                .map(training -> Arguments.of(tensor, training)));
  }

  @ParameterizedTest
  @MethodSource("weights")
  void ofABase(String tensor, Training training) throws IOException {
    Path file = folder.resolve("model.safetensors");
    ChangedTensors.change(file, tensor, t -> t.setFloat(t.elements() - 2, Float.NaN));
    assertThatThrownBy(
            () -> ModelFixture.load("cpu", folder, ModelFixture.options(training)).close())
        .isInstanceOf(UnusableWeight.class)
        .hasMessageContaining(file + ": tensor '" + tensor + "' has NaN at [");
  }

  @Test
  void ofAnAdapter() throws IOException {
    Path adapter = folder.resolve("adapter");
    String tensor = "base_model.model.model.layers.1.mlp.up_proj.lora_A.weight";
    try (ModelFixture f =
        ModelFixture.load("cpu", folder, ModelFixture.options(new Training.Adapter(LORA, 1)))) {
      PeftAdapter.save(adapter, LORA, "", f.model.parameters(), f.kernels);
      ChangedTensors.change(
          adapter.resolve(PeftAdapter.WEIGHTS),
          tensor,
          t -> t.setFloat(t.cols() + 3, Float.NEGATIVE_INFINITY));
      assertThatThrownBy(() -> PeftAdapter.open(adapter).copyTo(f.model.parameters(), f.kernels))
          .isInstanceOf(AdapterException.class)
          .hasMessageContaining(tensor + " has -Infinity at [1, 3]");
    }
    assertThatThrownBy(() -> AdapterMerge.open(adapter).close())
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining(tensor + " has -Infinity at [1, 3]");
  }
}
