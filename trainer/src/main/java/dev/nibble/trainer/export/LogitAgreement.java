package dev.nibble.trainer.export;

import java.util.Locale;

/**
 * How far the logits of one model are from those of another, over the same tokens.
 *
 * <p>With p the softmax of the reference's logits and q that of the other's, the divergence of a
 * position is KL(p || q) = sum_v p_v (log p_v - log q_v), in nats.
 *
 * @param positions how many rows of logits were compared
 * @param largest the largest difference of two logits
 * @param mean the mean of all differences' magnitudes
 * @param divergence the mean of KL(p || q) over positions
 * @param sameTop the share of positions at which both models find the same token likeliest
 * @param highest the largest magnitude of the reference's logits
 * @param spread the largest difference of a logit of the reference between its first position and
 *     another
 */
public record LogitAgreement(
    long positions,
    double largest,
    double mean,
    double divergence,
    double sameTop,
    double highest,
    double spread) {

  /**
   * The smallest difference that logits of this size can show: half a unit in the last place of the
   * largest, in 32 bits. A divergence below it says nothing, since both models were rounded more
   * than they may differ.
   */
  public double resolution() {
    return highest * 0x1p-24;
  }

  /** Whether the reference tells positions apart; where it does not, any two models agree. */
  public boolean isTelling() {
    return positions == 1 || spread > resolution();
  }

  /** The figures in words, beside the largest divergence that is allowed. */
  public String describe(double bound) {
    return String.format(
        Locale.ROOT,
        "KL divergence %.2g nats (bound %.2g), same likeliest token %.1f %%, logits differ by %.2g at most and %.2g on average",
        divergence,
        bound,
        100 * sameTop,
        largest,
        mean);
  }

  /** Adds up positions. */
  public static final class Sum {
    private long positions;
    private double largest;
    private double differences;
    private long logits;
    private double divergence;
    private long sameTop;
    private double highest;
    private double spread;
    private float[] first = {};

    /**
     * Adds one position.
     *
     * @param reference [V]
     * @param other [V]
     */
    public void add(float[] reference, float[] other) {
      if (reference.length != other.length) {
        throw new IllegalArgumentException(
            "%d logits and %d".formatted(reference.length, other.length));
      }
      first = positions == 0 ? reference.clone() : first;
      double logP = logSumExp(reference);
      double logQ = logSumExp(other);
      double kl = 0;
      int top = 0;
      int otherTop = 0;
      for (int v = 0; v < reference.length; v++) {
        double difference = Math.abs((double) reference[v] - other[v]);
        // A NaN must not hide: it fails every comparison and would leave the maximum as it was.
        largest = difference > largest || Double.isNaN(difference) ? difference : largest;
        differences += difference;
        double size = Math.abs((double) reference[v]);
        highest = size > highest || Double.isNaN(size) ? size : highest;
        spread = Math.max(spread, Math.abs((double) reference[v] - first[v]));
        double p = reference[v] - logP;
        kl += Math.exp(p) * (p - (other[v] - logQ));
        top = reference[v] > reference[top] ? v : top;
        otherTop = other[v] > other[otherTop] ? v : otherTop;
      }
      positions++;
      logits += reference.length;
      divergence += kl;
      sameTop += top == otherTop ? 1 : 0;
    }

    private static double logSumExp(float[] x) {
      double max = Double.NEGATIVE_INFINITY;
      for (float v : x) {
        max = Math.max(max, v);
      }
      double sum = 0;
      for (float v : x) {
        sum += Math.exp(v - max);
      }
      return max + Math.log(sum);
    }

    /** The figures over all positions so far; at least one. */
    public LogitAgreement result() {
      if (positions == 0) {
        throw new IllegalStateException("no position was compared");
      }
      return new LogitAgreement(
          positions,
          largest,
          differences / logits,
          Math.max(0, divergence / positions),
          (double) sameTop / positions,
          highest,
          spread);
    }
  }
}
