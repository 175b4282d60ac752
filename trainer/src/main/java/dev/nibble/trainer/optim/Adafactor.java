package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.OptimizerKernels.AdafactorStep;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/**
 * Adafactor (arXiv:1804.04235) with a learning rate that is given, as transformers has it with
 * {@code scale_parameter=False, relative_step=False}: second moments of rows and columns alone,
 * which decay by {@code 1 - t^-0.8}, and no momentum. All of its state stays: it is small.
 */
public final class Adafactor extends Optimizer {
  private static final double DECAY = -0.8;
  private static final double EPSILON = 1e-30;
  private static final double CLIP = 1;

  /**
   * What does not change from step to step.
   *
   * @param weightDecay decoupled from the gradient
   */
  public record Settings(double weightDecay) implements OptimizerSettings {
    /** Checks the range. */
    public Settings {
      Checks.requireDecay(weightDecay);
    }

    @Override
    public Optimizer create(
        Kernels kernels, Parameters parameters, Rates rates, StateMemory memory) {
      return new Adafactor(kernels, parameters, this, rates, memory.scope());
    }
  }

  /** Takes memory for the moments, all 0. */
  public Adafactor(
      Kernels kernels, Parameters parameters, Settings settings, Rates rates, Scope scope) {
    super(
        kernels,
        parameters,
        rates,
        settings.weightDecay(),
        OptimizerState.take(kernels, parameters, Adafactor::fields, StateMemory.resident(scope)));
  }

  private static List<StateField> fields(Parameter p) {
    Tensor w = p.weight();
    return List.of(
        StateField.whole(".exp_avg_sq_row", w.rows()),
        StateField.whole(".exp_avg_sq_col", w.cols()));
  }

  @Override
  public String name() {
    return "adafactor";
  }

  @Override
  void move(Stretch s, long step, double learningRate, double decay) {
    double beta2 = 1 - Math.pow((double) step, DECAY);
    kernels
        .optimizers()
        .adafactor(
            s.weight(),
            s.state().get(0),
            s.state().get(1),
            s.gradient(),
            new AdafactorStep(learningRate, beta2, EPSILON, CLIP, decay));
  }
}
