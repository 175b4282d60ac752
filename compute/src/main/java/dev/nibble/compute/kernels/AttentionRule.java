package dev.nibble.compute.kernels;

/**
 * The scoring rule of attention: scale, sliding window and soft cap.
 *
 * @param scale factor of q k^T
 * @param window the most keys that a query attends to, its own position included; 0 for all
 * @param softCap c of c * tanh(score / c), taken after the scale; 0 for none
 * @param isCausal whether a query sees its own key and those before it; else it sees all keys
 */
public record AttentionRule(double scale, int window, double softCap, boolean isCausal) {

  /** Checks the ranges. */
  public AttentionRule {
    if (!isCausal && window != 0) {
      throw new IllegalArgumentException("attention to all keys has no window of " + window);
    }
    if (!(scale > 0) || window < 0 || !(softCap >= 0)) {
      throw new IllegalArgumentException(
          "attention with scale %s, window %d, soft cap %s".formatted(scale, window, softCap));
    }
  }

  /** A causal rule. */
  public AttentionRule(double scale, int window, double softCap) {
    this(scale, window, softCap, true);
  }

  /** All keys of the segment, earlier and later, no cap. */
  public static AttentionRule bidirectional(double scale) {
    return new AttentionRule(scale, 0, 0, false);
  }

  /** Full causal attention without a cap. */
  public static AttentionRule causal(double scale) {
    return new AttentionRule(scale, 0, 0);
  }
}
