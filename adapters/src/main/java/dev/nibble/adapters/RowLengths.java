package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.FrozenWeight;

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
  static void squares(Tensor out, FrozenWeight weight, Kernels kernels) {
    float[] squares = new float[Math.toIntExact(weight.rows())];
    try (Scope near = Scope.open("lengths", kernels.memory(), Scope.UNLIMITED);
        Scope host = Scope.open("lengths", Memory.host(), Scope.UNLIMITED)) {
      Tensor dense = near.allocate("dense", DType.F32, weight.rows(), weight.cols());
      weight.dequantizeInto(kernels, dense);
      Tensor row = host.allocate("row", DType.F32, weight.cols());
      for (int o = 0; o < squares.length; o++) {
        kernels.copy(row, dense.slice(o, o + 1L));
        squares[o] = (float) square(row);
      }
      put(host, out, squares, kernels);
    }
  }

  /** out[o] = 1 / in[o]. */
  static void reciprocals(Tensor out, Tensor in, Kernels kernels) {
    try (Scope host = Scope.open("lengths", Memory.host(), Scope.UNLIMITED)) {
      Tensor copy = host.allocate("reciprocals", DType.F32, in.elements());
      kernels.copy(copy, in);
      float[] values = copy.toFloats();
      for (int i = 0; i < values.length; i++) {
        values[i] = 1 / values[i];
      }
      put(host, out, values, kernels);
    }
  }

  private static void put(Scope host, Tensor out, float[] values, Kernels kernels) {
    kernels.copy(out, host.allocate("values", DType.F32, values.length).put(values));
  }
}
