package dev.nibble.quant.linalg;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.Tensor;

/** The leading part of a QR decomposition. */
public final class QrFactors {
  private QrFactors() {}

  /**
   * With W = Q R, sets {@code left} to the first r columns of Q and {@code right} to the first r
   * rows of R. The first r columns of W alone decide these columns of Q, and R = Q^T W.
   *
   * @param left F32 [O, r]
   * @param right F32 [r, I]
   * @param w F32 [O, I] with r &lt;= min(O, I)
   */
  public static void of(Tensor left, Tensor right, Tensor w, Kernels kernels) {
    int rank = Math.toIntExact(left.cols());
    Products products = new Products(w, kernels);
    float[] columns = HostProducts.transposed(products.columns(rank), Math.toIntExact(w.rows()));
    float[] q = Orthonormal.rows(columns, rank);
    TensorValues.put(kernels, right, products.timesW(q, rank));
    TensorValues.put(kernels, left, HostProducts.transposed(q, rank));
  }
}
