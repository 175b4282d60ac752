package dev.nibble.quant.linalg;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/** Products of few rows with a large matrix W [O, I], by the kernels, wherever W lies. */
final class Products {
  private final Tensor w;
  private final Kernels kernels;

  Products(Tensor w, Kernels kernels) {
    this.w = w;
    this.kernels = kernels;
  }

  /** x W [k, I] of x [k, O]. */
  float[] timesW(float[] x, int k) {
    try (Scope near = Scope.open("linalg", kernels.memory())) {
      Tensor in = near.allocate("x", DType.F32, k, w.rows());
      TensorValues.put(kernels, in, x);
      Tensor out = near.allocate("x W", DType.F32, k, w.cols());
      kernels.products().linearBackward(out, in, w, 1);
      return TensorValues.of(kernels, out);
    }
  }

  /** x W^T [k, O] of x [k, I]. */
  float[] timesTransposedW(float[] x, int k) {
    try (Scope near = Scope.open("linalg", kernels.memory())) {
      Tensor in = near.allocate("x", DType.F32, k, w.cols());
      TensorValues.put(kernels, in, x);
      Tensor out = near.allocate("x W^T", DType.F32, k, w.rows());
      kernels.products().linearForward(out, in, w);
      return TensorValues.of(kernels, out);
    }
  }

  /** The first {@code n} columns of W, [O, n]. */
  float[] columns(int n) {
    try (Scope near = Scope.open("linalg", kernels.memory())) {
      Tensor out = near.allocate("columns", DType.F32, w.rows(), n);
      kernels.moving().columnsForward(out, w, 0);
      return TensorValues.of(kernels, out);
    }
  }

  /** All of W. */
  float[] all() {
    return TensorValues.of(kernels, w);
  }
}
