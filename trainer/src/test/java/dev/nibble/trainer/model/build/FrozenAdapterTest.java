package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.Sizes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A model with an adapter in which nothing trains. */
final class FrozenAdapterTest {
  private static final LoraSpec LORA = new LoraSpec(3, 6, 0.4, TargetModules.allLinear());
  private static final Batch BATCH = TinyModel.batch();

  @TempDir private Path folder;

  @BeforeEach
  void writeABase() throws IOException {
    try (Kernels kernels = ModelFixture.open("cpu")) {
      DistantModelTest.initialised(TinyModel.LLAMA_TIED, kernels, folder);
    }
  }

  static Stream<AdapterSpec> adapters() {
    return Stream.of(
        LORA,
        ModelFixture.ia3("down_proj", "o_proj"),
        ModelFixture.vera(0.2),
        LORA.withBias(),
        LORA.withDora(),
        LORA.withModulesToSave("lm_head", "norm"),
        LORA.withTargets(TargetModules.named(List.of("q_proj", "embed_tokens", "lm_head"))));
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void computesWhatAModelThatTrainsDoes(AdapterSpec spec) {
    try (ModelFixture training = load(new Training.Adapter(spec, 1));
        ModelFixture frozen = load(new Training.FrozenAdapter(spec, 1))) {
      assertThat(frozen.model.logits(BATCH)).isEqualTo(training.model.logits(BATCH));
      assertThat(frozen.model.evaluate(BATCH, frozen.objective))
          .isEqualTo(training.model.evaluate(BATCH, training.objective));
      assertThat(prompted(frozen)).isEqualTo(prompted(training));
    }
  }

  /** Logits behind a prompt, with all of the adapter's weights moved. */
  private static float[][] prompted(ModelFixture f) {
    f.kernels.moving().fill(f.model.parameters().weights(), 0.1);
    try (Decoder decoder = f.model.decoder(1, 8)) {
      return decoder.feed(new int[] {0}, new int[][] {{1, 5, 3}});
    }
  }

  /** Also while a decoder with the adapter is at work. */
  @ParameterizedTest
  @MethodSource("adapters")
  void decodesAsItsBase(AdapterSpec spec) {
    try (ModelFixture base = load(new Training.Nothing());
        ModelFixture frozen = load(new Training.FrozenAdapter(spec, 1))) {
      frozen.kernels.moving().fill(frozen.model.parameters().weights(), 0.1);
      if (frozen.model.baseIsLost().isPresent()) {
        assertThat(spec.modulesToSave()).isNotEmpty();
        assertThatThrownBy(() -> frozen.model.baseDecoder(1, 8))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("has no frozen base");
        return;
      }
      try (Decoder expected = base.model.decoder(1, 8);
          Decoder without = frozen.model.baseDecoder(1, 8);
          Decoder with = frozen.model.decoder(1, 8)) {
        for (int[] tokens : new int[][] {{1, 5, 3}, {2}, {4}}) {
          float[] adapted = with.feed(new int[] {0}, new int[][] {tokens})[0];
          assertThat(without.feed(new int[] {0}, new int[][] {tokens})[0])
              .isEqualTo(expected.feed(new int[] {0}, new int[][] {tokens})[0])
              .isNotEqualTo(adapted);
        }
      }
    }
  }

  @Test
  void aFileThatChangesTheBaseLeavesNone() {
    Training training = new Training.FrozenAdapter(LORA, 1, Set.of("b.bias", "a.bias"));
    assertThat(training.baseIsLost()).contains("the adapter's file brings its own a.bias, b.bias");
  }

  @Test
  void holdsNothingForTraining() {
    try (ModelFixture base = load(new Training.Nothing());
        ModelFixture training = load(new Training.Adapter(LORA, 1));
        ModelFixture frozen = load(new Training.FrozenAdapter(LORA, 1))) {
      Map<String, Long> held = frozen.scope.groups();
      Sizes sizes = ModelConfig.of(folder).sizes();
      long residual = 4L * ModelFixture.MAX_TOKENS * sizes.hidden();
      long low = 4L * ModelFixture.MAX_TOKENS * 3;

      assertThat(held.getOrDefault("gradients", 0L)).isZero();
      assertThat(bytes(frozen, "scratch") - bytes(base, "scratch")).as("A x alone").isEqualTo(low);
      assertThat(bytes(training, "activations") - bytes(frozen, "activations"))
          .as("two residuals that take turns, not one for each layer and one more")
          .isEqualTo((sizes.layers() - 1) * residual);
      assertThat(held.get("adapters")).isEqualTo(training.scope.groups().get("adapters"));
    }
  }

  @Test
  void doesNotTrain() {
    try (ModelFixture frozen = load(new Training.FrozenAdapter(LORA, 1))) {
      assertThatThrownBy(() -> frozen.model.accumulate(BATCH, 1, frozen.objective))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("nothing trains in this model");
    }
  }

  private static long bytes(ModelFixture model, String group) {
    return Objects.requireNonNull(model.scope.groups().get(group));
  }

  private ModelFixture load(Training training) {
    return ModelFixture.load("cpu", folder, ModelFixture.options(training));
  }
}
