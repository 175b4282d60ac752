package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Kernels;

/** Update rule of an optimizer, with the numbers that do not change from step to step. */
public sealed interface OptimizerSettings
    permits AdamW.Settings, AdamW8bit.Settings, Lion.Settings, Adafactor.Settings, Sgd.Settings {

  /** Weight decay, decoupled from the gradient. */
  double weightDecay();

  /** Makes the optimizer of some parameters; takes memory for its state, which is 0. */
  Optimizer create(Kernels kernels, Parameters parameters, Rates rates, StateMemory memory);
}
