package dev.nibble.adapters;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;

/** Lengths of a weight's rows, in float64. */
final class RowLengths {
  /**
   * The least square of a length. A row of zeros has no direction, and the reciprocal of its length
   * would be infinite; the reciprocal of this one is not, nor its product with what such a row
   * gives. The same holds for rows so short that their square is 0 in float32.
   */
  private static final float LEAST_SQUARE = Float.MIN_NORMAL;

  private RowLengths() {}

  /** The length of a row that is not taken to be shorter than has a reciprocal; F32 on the host. */
  static double length(Tensor row) {
    return Math.sqrt(Math.max(LEAST_SQUARE, square(row)));
  }

  /** The sum of squares of all elements; F32 on the host. */
  private static double square(Tensor row) {
    double sum = 0;
    for (float x : row.toFloats()) {
      sum += (double) x * x;
    }
    return sum;
  }

  /** out[o] = the squared length of row o of a frozen weight, as {@link #length} takes it. */
  static void squares(Tensor out, FrozenMatrix weight, Kernels kernels) {
    if (out.isPlanned()) {
      return;
    }
    float[] squares = new float[Math.toIntExact(weight.rows())];
    try (Scope near = Scope.open("lengths", kernels.memory());
        HostCopies host = new HostCopies(kernels)) {
      Tensor dense = near.allocate("dense", DType.F32, weight.rows(), weight.cols());
      kernels.products().decode(dense, weight);
      Tensor rows = host.of(dense);
      for (int o = 0; o < squares.length; o++) {
        squares[o] = Math.max(LEAST_SQUARE, (float) square(rows.slice(o, o + 1L)));
      }
    }
    TensorValues.put(kernels, out, squares);
  }

  /** out[o] = 1 / in[o]. */
  static void reciprocals(Tensor out, Tensor in, Kernels kernels) {
    float[] values = TensorValues.of(kernels, in);
    for (int i = 0; i < values.length; i++) {
      values[i] = 1 / values[i];
    }
    TensorValues.put(kernels, out, values);
  }
}
