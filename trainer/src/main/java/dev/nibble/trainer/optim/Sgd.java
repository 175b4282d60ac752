package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.OptimizerKernels.SgdStep;
import dev.nibble.compute.tensor.DType;
import java.util.List;

/** Stochastic gradient descent, with momentum or without; without, it remembers nothing. */
public final class Sgd extends Optimizer {
  private static final List<StateField> VELOCITY =
      List.of(StateField.each(".momentum_buffer", DType.F32));

  /**
   * What does not change from step to step.
   *
   * @param momentum share of the last step that stays; 0 for none
   * @param weightDecay decoupled from the gradient
   */
  public record Settings(double momentum, double weightDecay) implements OptimizerSettings {
    /** Checks the ranges. */
    public Settings {
      Checks.requireShare("momentum", momentum);
      Checks.requireDecay(weightDecay);
    }

    @Override
    public Optimizer create(
        Kernels kernels, Parameters parameters, Rates rates, StateMemory memory) {
      return new Sgd(kernels, parameters, this, rates, memory);
    }
  }

  private final Settings settings;

  /** Takes memory for the momentum, 0, where there is one. */
  public Sgd(
      Kernels kernels, Parameters parameters, Settings settings, Rates rates, StateMemory memory) {
    super(
        kernels,
        parameters,
        rates,
        settings.weightDecay(),
        OptimizerState.take(
            kernels, parameters, p -> settings.momentum() > 0 ? VELOCITY : List.of(), memory));
    this.settings = settings;
  }

  @Override
  public String name() {
    return "sgd";
  }

  @Override
  void move(Stretch s, long step, double learningRate, double decay) {
    kernels
        .optimizers()
        .sgd(
            s.weight(),
            s.state().isEmpty() ? s.gradient() : s.state().getFirst(),
            s.gradient(),
            new SgdStep(learningRate, settings.momentum(), decay));
  }
}
