package dev.nibble.trainer.model;

import dev.nibble.adapters.LoraSpec;

/** What trains in a model. */
public sealed interface Training {

  /** Nothing: the model evaluates and generates. */
  record Nothing() implements Training {}

  /** Every weight, in F32. */
  record AllWeights() implements Training {}

  /**
   * A LoRA adapter on a frozen model.
   *
   * @param seed of its initial values
   */
  record Adapter(LoraSpec spec, long seed) implements Training {}
}
