package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.LoraStart;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.objective.ForwardPasses;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.objective.Outputs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** With its adapters off, a model is its frozen base. */
final class AdaptersOffTest {
  private static final LoraSpec LORA = new LoraSpec(3, 6, 0.4, TargetModules.allLinear());
  private static final Batch BATCH = TinyModel.batch();

  @TempDir private Path folder;

  @BeforeEach
  void writeABase() throws IOException {
    try (Kernels kernels = ModelFixture.open("cpu")) {
      DistantModelTest.initialised(TinyModel.LLAMA_TIED, kernels, folder);
    }
  }

  static Stream<Arguments> adapters() {
    List<AdapterSpec> specs =
        List.of(
            LORA,
            ModelFixture.ia3("down_proj", "o_proj"),
            ModelFixture.vera(0.2),
            LORA.withBias(),
            LORA.withDora(),
            LORA.withTargets(TargetModules.named(List.of("q_proj", "embed_tokens", "lm_head"))));
    return ModelFixture.kernelSetNames()
        .flatMap(set -> specs.stream().map(spec -> Arguments.of(set, spec)));
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void logitsAreTheBasesToTheBit(String set, AdapterSpec spec) {
    try (ModelFixture base = load(set, new Training.Nothing());
        ModelFixture adapted = load(set, new Training.Adapter(spec, 1))) {
      for (Parameter p : adapted.model.parameters().all()) {
        adapted.kernels.moving().fill(p.weight(), 0.1); // B is 0 at first
      }
      float[] without = logits(adapted, ForwardPasses::base);
      float[] with = logits(adapted, ForwardPasses::model);

      assertThat(without).isEqualTo(logits(base, ForwardPasses::model));
      assertThat(with).isEqualTo(logits(adapted, ForwardPasses::model)).isNotEqualTo(without);
    }
  }

  private ModelFixture load(String set, Training training) {
    return ModelFixture.load(set, folder, ModelFixture.options(training));
  }

  @Test
  void aPassEndsTheOneBefore() {
    try (ModelFixture f = load("cpu", new Training.Adapter(LORA, 1))) {
      Function<ForwardPasses, Outputs> tooLate =
          passes -> {
            Outputs model = passes.model();
            passes.base();
            return model;
          };
      assertThatThrownBy(() -> logits(f, tooLate))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("adapters=false");
    }
  }

  @Test
  void theBaseMayBeLost() {
    assertNoBase(new Training.AllWeights(), "all its weights train");
    assertNoBase(
        new Training.Adapter(LORA.withModulesToSave("lm_head"), 1),
        "[lm_head] hold weights of their own");
    assertNoBase(
        new Training.Adapter(
            new LoraSpec(3, 6, 0, TargetModules.named(List.of("q_proj")))
                .withStart(new LoraStart.Pissa(OptionalInt.empty())),
            1),
        "initial values were taken out of its weights");
  }

  private void assertNoBase(Training training, String reason) {
    try (ModelFixture f = load("cpu", training)) {
      assertThatThrownBy(() -> logits(f, ForwardPasses::base))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("this model has no frozen base: ")
          .hasMessageContaining(reason);
    }
  }

  /** The logits [N, V] of a pass. */
  private static float[] logits(ModelFixture f, Function<ForwardPasses, Outputs> pass) {
    Reader reader = new Reader(pass, f.kernels);
    f.model.evaluate(BATCH, reader);
    return reader.logits;
  }

  /** An objective that reads all logits of a batch that is one chunk. */
  private static final class Reader implements Objective {
    private final Function<ForwardPasses, Outputs> pass;
    private final Kernels kernels;
    private float[] logits = {};

    Reader(Function<ForwardPasses, Outputs> pass, Kernels kernels) {
      this.pass = pass;
      this.kernels = kernels;
    }

    @Override
    public LossSum evaluate(ForwardPasses passes, Batch batch) {
      int[] all = IntStream.range(0, batch.length()).toArray();
      pass.apply(passes).read(all, (from, chunk) -> logits = TensorValues.of(kernels, chunk));
      return LossSum.ZERO;
    }

    @Override
    public LossSum accumulate(ForwardPasses passes, Batch batch) {
      throw new UnsupportedOperationException("there is no loss");
    }
  }
}
