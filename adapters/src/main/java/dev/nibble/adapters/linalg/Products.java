package dev.nibble.adapters.linalg;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/** Products of few rows with a large matrix W [O, I], by the kernels, wherever W lies. */
final class Products implements AutoCloseable {
  private final Tensor w;
  private final Kernels kernels;
  private final Scope host = Scope.open("linalg", Memory.host(), Scope.UNLIMITED);

  Products(Tensor w, Kernels kernels) {
    this.w = w;
    this.kernels = kernels;
  }

  /** x W [k, I] of x [k, O]. */
  float[] timesW(float[] x, int k) {
    try (Scope near = Scope.open("linalg", kernels.memory(), Scope.UNLIMITED)) {
      Tensor in = near.allocate("x", DType.F32, k, w.rows());
      put(in, x);
      Tensor out = near.allocate("x W", DType.F32, k, w.cols());
      kernels.linearBackward(out, in, w, 1);
      return values(out);
    }
  }

  /** x W^T [k, O] of x [k, I]. */
  float[] timesTransposedW(float[] x, int k) {
    try (Scope near = Scope.open("linalg", kernels.memory(), Scope.UNLIMITED)) {
      Tensor in = near.allocate("x", DType.F32, k, w.cols());
      put(in, x);
      Tensor out = near.allocate("x W^T", DType.F32, k, w.rows());
      kernels.linearForward(out, in, w);
      return values(out);
    }
  }

  /** The first {@code n} values of a row of W. */
  float[] row(int row, int n) {
    return values(w.part((long) row * w.cols(), n));
  }

  /** All of W. */
  float[] all() {
    return values(w);
  }

  void put(Tensor to, float[] values) {
    try (Scope copy = host.child("copy")) {
      kernels.copy(to, copy.allocate("values", DType.F32, values.length).put(values));
    }
  }

  private float[] values(Tensor t) {
    try (Scope copy = host.child("copy")) {
      Tensor values = copy.allocate("values", DType.F32, t.elements());
      kernels.copy(values, t);
      return values.toFloats();
    }
  }

  /** The transpose of a matrix of {@code rows} rows. */
  static float[] transposed(float[] m, int rows) {
    int cols = m.length / rows;
    float[] t = new float[m.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        t[j * rows + i] = m[i * cols + j];
      }
    }
    return t;
  }

  @Override
  public void close() {
    host.close();
  }
}
