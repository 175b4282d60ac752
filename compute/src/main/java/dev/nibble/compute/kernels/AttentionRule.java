package dev.nibble.compute.kernels;

/**
 * The scoring rule of attention: scale, sliding window and soft cap.
 *
 * @param scale factor of q k^T
 * @param window the most keys that a query attends to, its own position included; 0 for all
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

  /** Full causal attention without a cap. */
  public static AttentionRule causal(double scale) {
    return new AttentionRule(scale, 0, 0);
  }
}
