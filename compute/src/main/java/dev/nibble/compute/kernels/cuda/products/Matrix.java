package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;

/**
 * A row-major matrix, or some of its columns, as an operand of {@link Products}.
 *
 * @param tensor memory from the first element on
 * @param rows rows of the operand
 * @param cols columns of the operand
 * @param stride elements from one stored row to the next
 * @param transposed whether [cols, rows] is what is stored
 */
record Matrix(Tensor tensor, long rows, long cols, long stride, boolean transposed) {

  /** All of a tensor, its leading dimensions taken as rows. */
  static Matrix of(Tensor t) {
    return of(t, t.rows(), t.cols());
  }

  /** The first rows*cols elements of a tensor. */
  static Matrix of(Tensor t, long rows, long cols) {
    if (rows * cols > t.elements()) {
      throw new IllegalArgumentException("%s has no [%d, %d]".formatted(t, rows, cols));
    }
    return new Matrix(t, rows, cols, cols, false);
  }

  /** Columns {@code from} and on of a matrix that is not transposed, a view. */
  Matrix columns(long from, long count) {
    if (transposed || from < 0 || from + count > cols) {
      throw new IndexOutOfBoundsException(
          "columns %d to %d of %s".formatted(from, from + count, this));
    }
    Tensor part = from == 0 ? tensor : tensor.part(from, tensor.elements() - from);
    return new Matrix(part, rows, count, stride, false);
  }

  /** The same memory, seen as the transposed matrix. */
  Matrix transpose() {
    return new Matrix(tensor, cols, rows, stride, !transposed);
  }

  /** Bytes of its elements. */
  double bytes() {
    return (double) rows * cols * dtype().bytes();
  }

  DType dtype() {
    return tensor.dtype();
  }

  /** For example {@code [64, 16]^T of x F32[16, 64] on cuda:0}. */
  @Override
  public String toString() {
    return "[%d, %d]%s of %s".formatted(rows, cols, transposed ? "^T" : "", tensor);
  }
}
