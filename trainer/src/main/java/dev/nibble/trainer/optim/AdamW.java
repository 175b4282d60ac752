package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Parameters.Pace;
import dev.nibble.adapters.Parameters.Range;
import dev.nibble.compute.kernels.AdamWStep;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/**
 * AdamW (arXiv:1711.05101) over all parameters at once. Both moments are F32 in the layout of
 * {@link Parameters#weights}; weight decay acts on the ranges that have it.
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

  /**
   * How fast some parameters learn (LoRA+, arXiv:2402.12354), in multiples of the learning rate.
   *
   * @param fast of {@link Pace#FAST}
   * @param embedding of {@link Pace#EMBEDDING}
   */
  public record Rates(double fast, double embedding) {
    /** All alike. */
    public static final Rates EQUAL = new Rates(1, 1);

    /** Checks the ranges. */
    public Rates {
      Settings.require("rate of B", fast, fast > 0 && Double.isFinite(fast), "above 0");
      Settings.require(
          "rate of embeddings", embedding, embedding > 0 && Double.isFinite(embedding), "above 0");
    }

    private double of(Pace pace) {
      return switch (pace) {
        case NORMAL -> 1;
        case FAST -> fast;
        case EMBEDDING -> embedding;
      };
    }
  }

  /** Parameters with one weight decay and one pace. */
  private record Group(
      Tensor weight, Tensor m, Tensor v, Tensor gradient, double weightDecay, double rate) {}

  private final Kernels kernels;
  private final Settings settings;
  private final Rates rates;
  private final Parameters parameters;
  private final Tensor m;
  private final Tensor v;
  private final List<Group> groups;
  private long steps;

  /** One that learns everything at the learning rate. */
  public AdamW(Kernels kernels, Parameters parameters, Settings settings, Scope scope) {
    this(kernels, parameters, settings, Rates.EQUAL, scope);
  }

  /** Takes memory for the moments, both 0, from {@code scope}. */
  public AdamW(
      Kernels kernels, Parameters parameters, Settings settings, Rates rates, Scope scope) {
    this.kernels = kernels;
    this.settings = settings;
    this.rates = rates;
    this.parameters = parameters;
    this.m = scope.allocate("optimizer/m", DType.F32, parameters.count());
    this.v = scope.allocate("optimizer/v", DType.F32, parameters.count());
    this.groups = parameters.ranges().stream().map(this::group).toList();
  }

  private Group group(Range r) {
    return new Group(
        parameters.weights().part(r.from(), r.count()),
        m.part(r.from(), r.count()),
        v.part(r.from(), r.count()),
        parameters.gradients().part(r.from(), r.count()),
        r.decays() ? settings.weightDecay() : 0,
        rates.of(r.pace()));
  }

  /** Moves the weights against their gradients. */
  public void update(double learningRate) {
    steps++;
    for (Group g : groups) {
      kernels.adamW(
          g.weight(),
          g.m(),
          g.v(),
          g.gradient(),
          new AdamWStep(
              steps,
              learningRate * g.rate(),
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
