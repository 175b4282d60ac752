package dev.nibble.adapters;

import dev.nibble.compute.kernels.Dropout;

/**
 * What one pass through a model shares with its own recomputation: whether dropout is on, and its
 * seed.
 *
 * @param dropout true when training
 * @param seed of this pass's masks
 */
public record Pass(boolean dropout, long seed) {
  /** Dropout is off. */
  public static final Pass EVALUATION = new Pass(false, 0);

  /** A pass that drops. */
  public static Pass training(long seed) {
    return new Pass(true, seed);
  }

  /** The pass of one of several parts of a batch, with masks of its own. */
  public Pass part(int number) {
    return new Pass(dropout, Dropout.hash(seed ^ ~number));
  }

  /** The seed of one place's mask; places and passes draw unrelated masks. */
  public long maskSeed(int place) {
    return Dropout.hash(Dropout.hash(seed) + place);
  }
}
