package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.OptimizerKernels.AdamWStep;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import java.util.List;

/** AdamW (arXiv:1711.05101) with both moments in F32. */
public final class AdamW extends Optimizer {
  /** Running mean of the gradients, in a checkpoint. */
  static final String FIRST = ".exp_avg";

  /** Running mean of the squared gradients, in a checkpoint. */
  static final String SECOND = ".exp_avg_sq";

  /** Both moments of each weight. */
  static final List<StateField> MOMENTS =
      List.of(StateField.each(FIRST, DType.F32), StateField.each(SECOND, DType.F32));

  /**
   * What does not change from step to step.
   *
   * @param beta1 decay of the first moment
   * @param beta2 decay of the second moment
   * @param epsilon added to the root of the second moment
   * @param weightDecay decoupled from the gradient
   */
  public record Settings(double beta1, double beta2, double epsilon, double weightDecay)
      implements OptimizerSettings {
    /** PyTorch's betas and epsilon, without weight decay, as transformers' trainer has it. */
    public static final Settings DEFAULT = new Settings(0.9, 0.999, 1e-8, 0);

    /** Checks the ranges. */
    public Settings {
      Checks.requireShare("beta1", beta1);
      Checks.requireShare("beta2", beta2);
      Checks.require("epsilon", epsilon, epsilon > 0, "above 0");
      Checks.requireDecay(weightDecay);
    }

    @Override
    public Optimizer create(
        Kernels kernels, Parameters parameters, Rates rates, StateMemory memory) {
      return new AdamW(kernels, parameters, this, rates, memory);
    }

    AdamWStep at(long step, double learningRate, double decay) {
      return new AdamWStep(step, learningRate, beta1, beta2, epsilon, decay);
    }
  }

  private final Settings settings;

  /** One that learns everything at the learning rate, its moments in {@code scope}. */
  public AdamW(Kernels kernels, Parameters parameters, Settings settings, Scope scope) {
    this(kernels, parameters, settings, Rates.EQUAL, StateMemory.resident(scope));
  }

  /** Takes memory for the moments, both 0. */
  public AdamW(
      Kernels kernels, Parameters parameters, Settings settings, Rates rates, StateMemory memory) {
    super(
        kernels,
        parameters,
        rates,
        settings.weightDecay(),
        OptimizerState.take(kernels, parameters, p -> MOMENTS, memory));
    this.settings = settings;
  }

  @Override
  public String name() {
    return "adamw";
  }

  @Override
  void move(Stretch s, long step, double learningRate, double decay) {
    kernels
        .optimizers()
        .adamW(
            s.weight(),
            s.state().get(0),
            s.state().get(1),
            s.gradient(),
            settings.at(step, learningRate, decay));
  }
}
