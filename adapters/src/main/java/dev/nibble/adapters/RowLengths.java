package dev.nibble.adapters;

import dev.nibble.compute.tensor.Tensor;

/** Squares of the lengths of a weight's rows, in float64. */
final class RowLengths {
  private RowLengths() {}

  /** The sum of squares of all elements; F32 on the host. */
  static double square(Tensor row) {
    double sum = 0;
    for (float x : row.toFloats()) {
      sum += (double) x * x;
    }
    return sum;
  }
}
