package dev.nibble.compute.kernels;

/**
 * How a query weighs the keys of its segment.
 *
 * @param scale factor of q k^T
 * @param window how many keys a query sees at most, its own and those just before it; 0 for all
 * @param softCap c of c * tanh(score / c), taken after the scale; 0 for none
 */
public record AttentionRule(double scale, int window, double softCap) {

  /** Checks the ranges. */
  public AttentionRule {
    if (!(scale > 0) || window < 0 || !(softCap >= 0)) {
      throw new IllegalArgumentException(
          "attention with scale %s, window %d, soft cap %s".formatted(scale, window, softCap));
    }
  }

  /** All earlier keys, no cap. */
  public static AttentionRule causal(double scale) {
    return new AttentionRule(scale, 0, 0);
  }
}
