package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;

/**
 * How far a kernel's result may lie from the reference's, which computes in float64.
 *
 * <p>A result is the sum of n terms, each rounded a few times; rounding errors of a sum grow like
 * the square root of n when they are independent. So the allowed error is {@code unit * (16 + 4
 * sqrt(n)) * magnitude}. The unit is 2^-24 for float32 and 2^-53 for float64. The magnitude is the
 * largest finite value in the result's row, or the size of the terms where these may cancel, or the
 * largest argument of an exponential. An element-wise kernel has n = 1: 20 units. No test has a
 * number of its own. A bfloat16 result may besides be off by its rounding, 2^-8 of its value.
 * Non-finite values must be of the same kind. Results that formats fix (codes, roundings, dropout
 * masks, gathered rows) are compared bit by bit.
 *
 * @param unit half the distance between 1 and the next number; 0 when every bit counts
 * @param terms n
 * @param floor the least magnitude
 * @param inner whether a kernel on bfloat16 activations rounds values to bfloat16 that it
 *     multiplies and sums up afterwards
 */
record Tolerance(double unit, long terms, double floor, boolean inner) {

  /** Half the distance between bfloat16 numbers, for numbers just above a power of two. */
  static final double BF16 = 0x1p-8;

  /** Every bit counts. */
  static final Tolerance EXACT = new Tolerance(0, 0, 0, false);

  /** A sum of {@code terms} float32 terms. */
  static Tolerance ofSum(long terms) {
    return new Tolerance(0x1p-24, terms, 0, false);
  }

  /** A sum of {@code terms} float64 terms. */
  static Tolerance ofSum64(long terms) {
    return new Tolerance(0x1p-53, terms, 0, false);
  }

  /** With terms of about this size. */
  Tolerance ofTermsLike(double magnitude) {
    return new Tolerance(unit, terms, Math.max(floor, magnitude), inner);
  }

  /**
   * With values that are rounded to the activations' dtype inside: attention's probabilities and
   * their gradients, before they multiply values, keys and queries.
   */
  Tolerance ofRoundedFactors() {
    return new Tolerance(unit, terms, floor, true);
  }

  boolean exact() {
    return unit == 0;
  }

  double allowed(double largestOfRow, DType activations) {
    double magnitude = Math.max(largestOfRow, floor);
    double rounded = inner && activations == DType.BF16 ? BF16 : 0;
    return (unit * (16 + 4 * Math.sqrt((double) terms)) + rounded) * magnitude;
  }
}
