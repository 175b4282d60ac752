package dev.nibble.trainer.model;

/**
 * A loss not yet divided: sums add up over micro-batches, one division at the end is exact for
 * ragged ones.
 *
 * @param sum cross-entropy in nats, summed over supervised tokens
 * @param tokens number of supervised tokens
 */
public record LossSum(double sum, long tokens) {
  /** Nothing seen yet. */
  public static final LossSum ZERO = new LossSum(0, 0);

  /** Both together. */
  public LossSum plus(LossSum other) {
    return new LossSum(sum + other.sum, tokens + other.tokens);
  }

  /** Mean over supervised tokens; NaN when there are none. */
  public double mean() {
    return sum / tokens;
  }
}
