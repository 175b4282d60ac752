package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.objective.Objective;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EmbeddingNoiseTest {
  @TempDir private Path folder;

  @Test
  void isDrawnFromThePassWhenTrainingOnly() throws IOException {
    TinyModel.LLAMA.config(folder);
    String set = ModelFixture.fastestKernelSet().findFirst().orElseThrow();
    try (Kernels kernels = ModelFixture.open(set);
        Scope scope = Scope.open("test", kernels.memory())) {
      CausalLm quiet = model(0, kernels, scope);
      CausalLm noisy = model(5, kernels, scope);
      Objective objective = ModelFixture.nextToken(quiet, kernels, scope);
      double without = quiet.evaluate(TinyModel.batch(), objective).sum();
      assertThat(quiet.accumulate(TinyModel.batch(), 1, objective).sum())
          .isCloseTo(without, within(1e-5));
      assertThat(noisy.evaluate(TinyModel.batch(), objective).sum()).isEqualTo(without);
      double first = noisy.accumulate(TinyModel.batch(), 1, objective).sum();
      assertThat(Math.abs(first - without)).isGreaterThan(1e-3);
      assertThat(noisy.accumulate(TinyModel.batch(), 2, objective).sum()).isNotEqualTo(first);
      assertThat(noisy.accumulate(TinyModel.batch(), 1, objective).sum()).isEqualTo(first);
    }
  }

  private CausalLm model(double noise, Kernels kernels, Scope scope) {
    ModelOptions options =
        new ModelOptions(
            new Training.AllWeights(),
            Optional.empty(),
            ModelFixture.MAX_TOKENS,
            Checkpointing.FULL,
            noise);
    return ModelLoader.initialise(folder, 7, options, kernels, scope);
  }

  @Test
  void mustBeANumberOfAtLeastZero() {
    assertThatThrownBy(() ->
            new ModelOptions(new Training.Nothing(), Optional.empty(), 8, Checkpointing.FULL, -1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("embedding noise is -1");
  }
}
