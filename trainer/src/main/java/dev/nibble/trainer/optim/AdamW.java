package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.AdamWStep;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * AdamW (arXiv:1711.05101) over all parameters at once. Both moments are F32 in the layout of
 * {@link Parameters#weights}; weight decay acts on the first {@link Parameters#decayed} weights
 * only.
 */
public final class AdamW {

  /**
   * What does not change from step to step.
   *
   * @param beta1 decay of the first moment
   * @param beta2 decay of the second moment
   * @param epsilon added to the root of the second moment
   * @param weightDecay decoupled from the gradient
   */
  public record Settings(double beta1, double beta2, double epsilon, double weightDecay) {
    /** PyTorch's betas and epsilon, without weight decay, as transformers' trainer has it. */
    public static final Settings DEFAULT = new Settings(0.9, 0.999, 1e-8, 0);

    /** Checks the ranges. */
    public Settings {
      require("beta1", beta1, beta1 >= 0 && beta1 < 1, "in [0, 1)");
      require("beta2", beta2, beta2 >= 0 && beta2 < 1, "in [0, 1)");
      require("epsilon", epsilon, epsilon > 0, "above 0");
      require("weight decay", weightDecay, weightDecay >= 0, "0 or more");
    }

    private static void require(String name, double value, boolean holds, String expected) {
      if (!holds) {
        throw new IllegalArgumentException(
            "AdamW: %s must be %s, not %s".formatted(name, expected, value));
      }
    }
  }

  /** A range of parameters with one weight decay. */
  private record Group(Tensor weight, Tensor m, Tensor v, Tensor gradient, double weightDecay) {}

  private final Kernels kernels;
  private final Settings settings;
  private final Parameters parameters;
  private final Tensor m;
  private final Tensor v;
  private final Group decayed;
  private final Group plain;
  private long steps;

  /** Takes memory for the moments, both 0, from {@code scope}. */
  public AdamW(Kernels kernels, Parameters parameters, Settings settings, Scope scope) {
    this.kernels = kernels;
    this.settings = settings;
    this.parameters = parameters;
    this.m = scope.allocate("optimizer/m", DType.F32, parameters.count());
    this.v = scope.allocate("optimizer/v", DType.F32, parameters.count());
    this.decayed = group(0, parameters.decayed(), settings.weightDecay());
    this.plain = group(parameters.decayed(), parameters.count() - parameters.decayed(), 0);
  }

  private Group group(long from, long count, double weightDecay) {
    return new Group(
        parameters.weights().part(from, count),
        m.part(from, count),
        v.part(from, count),
        parameters.gradients().part(from, count),
        weightDecay);
  }

  /** Moves the weights against their gradients. */
  public void update(double learningRate) {
    steps++;
    update(decayed, learningRate);
    update(plain, learningRate);
  }

  private void update(Group g, double learningRate) {
    if (g.weight().elements() > 0) {
      kernels.adamW(
          g.weight(),
          g.m(),
          g.v(),
          g.gradient(),
          new AdamWStep(
              steps,
              learningRate,
              settings.beta1(),
              settings.beta2(),
              settings.epsilon(),
              g.weightDecay()));
    }
  }

  /** What it trains. */
  public Parameters parameters() {
    return parameters;
  }

  /** F32 [P]: running mean of the gradients. */
  public Tensor firstMoment() {
    return m;
  }

  /** F32 [P]: running mean of the squared gradients. */
  public Tensor secondMoment() {
    return v;
  }

  /** Number of updates so far. */
  public long steps() {
    return steps;
  }

  /** Goes on after {@code done} updates, when the moments have been restored. */
  public void resumeAfter(long done) {
    steps = done;
  }
}
