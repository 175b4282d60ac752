package dev.nibble.trainer.objective;

/**
 * Forward passes of a model over one batch, run when they are asked for. They share the model's
 * buffers: a pass ends the one before, whose outputs then cannot be read any more.
 */
public interface ForwardPasses {

  /** The model as it is; with dropout when training. */
  Outputs model();

  /**
   * The frozen base: the model with its adapters off and without dropout. Nothing is kept for a
   * gradient.
   *
   * @throws IllegalStateException when the model has none: all its weights train, some of its
   *     modules train as a whole, or the adapter's initial values were taken out of the base
   */
  Outputs base();
}
