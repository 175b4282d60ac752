package dev.nibble.adapters;

import dev.nibble.compute.kernels.Dropout;

/**
 * The mode of one forward pass, which its backward pass and any recomputation share.
 *
 * @param dropout whether dropout is on
 * @param seed of this pass's dropout masks
 */
public record ForwardMode(boolean dropout, long seed) {
  /** No dropout. */
  public static final ForwardMode EVALUATION = new ForwardMode(false, 0);

  /** With dropout. */
  public static ForwardMode training(long seed) {
    return new ForwardMode(true, seed);
  }

  /** The mode of one of several parts of a batch, with masks of its own. */
  public ForwardMode part(int number) {
    return new ForwardMode(dropout, Dropout.hash(seed ^ ~number));
  }

  /** The seed of one place's mask; places and passes draw unrelated masks. */
  public long maskSeed(int place) {
    return Dropout.hash(Dropout.hash(seed) + place);
  }
}
