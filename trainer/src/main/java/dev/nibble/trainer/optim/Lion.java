package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.OptimizerKernels.LionStep;
import dev.nibble.compute.tensor.DType;
import java.util.List;

/** Lion (arXiv:2302.06675): steps of one size, in the direction of the sign of a momentum. */
public final class Lion extends Optimizer {
  private static final List<StateField> MOMENTUM = List.of(StateField.each(AdamW.FIRST, DType.F32));

  /**
   * What does not change from step to step.
   *
   * @param beta1 share of the momentum in the direction
   * @param beta2 decay of the momentum
   * @param weightDecay decoupled from the gradient
   */
  public record Settings(double beta1, double beta2, double weightDecay)
      implements OptimizerSettings {
    /** Checks the ranges. */
    public Settings {
      Checks.requireShare("beta1", beta1);
      Checks.requireShare("beta2", beta2);
      Checks.requireDecay(weightDecay);
    }

    @Override
    public Optimizer create(
        Kernels kernels, Parameters parameters, Rates rates, StateMemory memory) {
      return new Lion(kernels, parameters, this, rates, memory);
    }
  }

  private final Settings settings;

  /** Takes memory for the momentum, 0. */
  public Lion(
      Kernels kernels, Parameters parameters, Settings settings, Rates rates, StateMemory memory) {
    super(
        kernels,
        parameters,
        rates,
        settings.weightDecay(),
        OptimizerState.take(kernels, parameters, p -> MOMENTUM, memory));
    this.settings = settings;
  }

  @Override
  public String name() {
    return "lion";
  }

  @Override
  void move(Stretch s, long step, double learningRate, double decay) {
    kernels
        .optimizers()
        .lion(
            s.weight(),
            s.state().getFirst(),
            s.gradient(),
            new LionStep(learningRate, settings.beta1(), settings.beta2(), decay));
  }
}
