package dev.nibble.trainer.objective;

/**
 * Forward passes of a model over one batch, run when they are asked for. They share the model's
 * buffers: a pass ends the one before, whose outputs then cannot be read any more.
 */
public interface ForwardPasses {

  /** The model as it is; with dropout when training. */
  Outputs model();
}
