package dev.nibble.trainer.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.Parameters.ParameterGroup;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.trainer.toy.ToyKernels;
import org.junit.jupiter.api.Test;

final class AdamWTest {
  private final Kernels kernels = ToyKernels.open();

  @Test
  void decaysOnlyWhatDecays() {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Parameters parameters =
          new Parameters.Builder()
              .add("norm", false, 2)
              .add("matrix", true, 1, 2)
              .allocate(scope, "weights");
      parameters.weights().put(1f, 1f, 1f, 1f);
      AdamW adamW =
          new AdamW(kernels, parameters, new AdamW.Settings(0.9, 0.999, 1e-8, 0.5), scope);

      adamW.update(0.1);

      // With gradient 0 only the decay moves anything: 1 - 0.1 * 0.5.
      assertThat(parameters.named("matrix").weight().toFloats()).containsExactly(0.95f, 0.95f);
      assertThat(parameters.named("norm").weight().toFloats()).containsExactly(1, 1);
    }
  }

  @Test
  void countsStepsForTheBiasCorrection() {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Parameters parameters = new Parameters.Builder().add("w", true, 1).allocate(scope, "weights");
      AdamW adamW = new AdamW(kernels, parameters, AdamW.Settings.DEFAULT, scope);
      parameters.gradients().put(3f);

      // A constant gradient gives corrected moments g and g², so each step moves by the learning
      // rate.
      for (int step = 1; step <= 5; step++) {
        adamW.update(0.1);
        assertThat(adamW.steps()).isEqualTo(step);
        assertThat(parameters.weights().getDouble(0)).isCloseTo(-0.1 * step, within(1e-6));
      }
    }
  }

  @Test
  void eachPaceHasItsRate() {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Parameters parameters =
          new Parameters.Builder()
              .add("table", ParameterGroup.EMBEDDING, true, 1)
              .add("b", ParameterGroup.FAST, true, 1)
              .add("bias", ParameterGroup.FAST, false, 1)
              .add("a", true, 1)
              .add("norm", false, 1)
              .allocate(scope, "weights");
      parameters.gradients().put(1f, 1f, 1f, 1f, 1f);
      AdamW adamW =
          new AdamW(
              kernels,
              parameters,
              AdamW.Settings.DEFAULT,
              new Rates(16, 0.5),
              StateMemory.resident(scope));

      adamW.update(0.01);

      // A first step moves by the learning rate.
      for (Parameter p : parameters.all()) {
        double rate =
            switch (p.name()) {
              case "table" -> 0.005;
              case "b", "bias" -> 0.16;
              default -> 0.01;
            };
        assertThat(p.weight().getDouble(0)).as(p.name()).isCloseTo(-rate, within(1e-6));
      }
      assertThat(parameters.ranges()).hasSize(5);
    }
  }

  @Test
  void refusesSettingsOutOfRange() {
    assertThatThrownBy(() -> new Rates(0, 1)).hasMessageContaining("rate of B");
    assertThatThrownBy(() -> new Rates(1, -1)).hasMessageContaining("rate of embeddings");
    assertThatThrownBy(() -> new AdamW.Settings(1, 0.9, 1e-8, 0)).hasMessageContaining("beta1");
    assertThatThrownBy(() -> new AdamW.Settings(0.9, -1, 1e-8, 0)).hasMessageContaining("beta2");
    assertThatThrownBy(() -> new AdamW.Settings(0.9, 0.9, 0, 0)).hasMessageContaining("epsilon");
    assertThatThrownBy(() -> new AdamW.Settings(0.9, 0.9, 1e-8, -1)).hasMessageContaining("decay");
  }
}
