package dev.nibble.adapters;

import dev.nibble.compute.kernels.Dropout;

/**
 * The mode of one forward pass, which its backward pass and any recomputation share.
 *
 * @param dropout whether dropout is on
 * @param adapters whether adapters are on; without them a model computes what its frozen base does
 * @param seed of this pass's dropout masks
 */
public record ForwardMode(boolean dropout, boolean adapters, long seed) {
  /** No dropout. */
  public static final ForwardMode EVALUATION = new ForwardMode(false, true, 0);

  /** The frozen base alone: adapters are off. */
  public static final ForwardMode BASE = new ForwardMode(false, false, 0);

  /** With dropout. */
  public static ForwardMode training(long seed) {
    return new ForwardMode(true, true, seed);
  }

  /** The mode of one of several parts of a batch, with masks of its own. */
  public ForwardMode part(int number) {
    return new ForwardMode(dropout, adapters, Dropout.hash(seed ^ ~number));
  }

  /** The seed of one place's mask; places and passes draw unrelated masks. */
  public long maskSeed(int place) {
    return Dropout.hash(Dropout.hash(seed) + place);
  }
}
