package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;

/**
 * Counts of floating-point operations of matrix products, a multiplication and an addition each.
 */
public final class MatrixOperations {
  private MatrixOperations() {}

  /** Of [m, k] by [k, n]. */
  public static double ofProduct(double m, double n, double k) {
    return 2 * m * n * k;
  }

  /**
   * Of attention, as if all segments were of one length; that lies on the device.
   *
   * @param q [N, H, D]
   * @param k [M, K, D]
   * @param segments [S, 4]
   * @param products of queries and keys, or of scores and rows: 2 forward, at least 5 backward
   */
  public static double ofAttention(
      Tensor q, Tensor k, Tensor segments, AttentionRule rule, int products) {
    double count = Math.max(1, segments.rows());
    double queries = q.dim(0) / count;
    double keys = k.dim(0) / count;
    double seen = rule.isCausal() ? Math.min(keys - queries / 2, keys) : keys;
    double perQuery = rule.isCausal() && rule.window() > 0 ? Math.min(seen, rule.window()) : seen;
    return products * ofProduct((double) q.dim(0), perQuery, (double) q.dim(1) * q.dim(2));
  }
}
