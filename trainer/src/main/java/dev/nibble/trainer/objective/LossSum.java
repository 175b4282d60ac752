package dev.nibble.trainer.objective;

/**
 * A loss not yet divided: sums add up over micro-batches, and one division at the end is exact for
 * ragged ones.
 *
 * @param sum of the terms' losses
 * @param terms number of terms that the loss is a mean of: supervised tokens, or pairs of samples
 */
public record LossSum(double sum, long terms) {
  /** No terms. */
  public static final LossSum ZERO = new LossSum(0, 0);

  /** Both together. */
  public LossSum plus(LossSum other) {
    return new LossSum(sum + other.sum, terms + other.terms);
  }

  /** Mean over the terms; NaN when there are none. */
  public double mean() {
    return sum / terms;
  }
}
