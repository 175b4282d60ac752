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
  private RowLengths() {}

  /** The sum of squares of all elements; F32 on the host. */
  static double square(Tensor row) {
    double sum = 0;
    for (float x : row.toFloats()) {
      sum += (double) x * x;
    }
    return sum;
  }

  /** out[o] = the squared length of row o of a frozen weight. */
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
        squares[o] = (float) square(rows.slice(o, o + 1L));
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
