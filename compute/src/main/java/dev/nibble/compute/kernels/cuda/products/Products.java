package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.cuda.work.ProductShape;
import dev.nibble.compute.tensor.DType;

/** Matrix products on the set's stream. */
public sealed interface Products extends AutoCloseable permits OwnProducts, CublasProducts {

  /**
   * out = alpha a b + beta out, summed in float32 and rounded once. With beta 0, out is not read.
   *
   * @param out F32 or BF16 [M, N], not transposed; F32 when a is
   * @param a F32 or BF16 [M, K]
   * @param b of a's dtype [K, N]; not transposed when a is
   */
  void multiply(Matrix out, Matrix a, Matrix b, double alpha, double beta);

  @Override
  void close();

  /** Who multiplies, for the line that says what a set runs on. */
  String describe();

  /** Sizes of a product: a weight's gradient is the one whose first operand is transposed. */
  static ProductShape shape(Matrix out, Matrix a) {
    return new ProductShape(out.rows(), out.cols(), a.cols(), a.transposed());
  }

  /** Bytes that a product reads and writes. */
  static double bytes(Matrix out, Matrix a, Matrix b, double beta) {
    return a.bytes() + b.bytes() + (beta == 0 ? 1 : 2) * out.bytes();
  }

  /**
   * Checks a product's operands.
   *
   * @throws IllegalArgumentException that names all three
   */
  static void require(Matrix out, Matrix a, Matrix b) {
    boolean shapes = out.rows() == a.rows() && out.cols() == b.cols() && a.cols() == b.rows();
    boolean layouts = !out.transposed() && !(a.transposed() && b.transposed());
    boolean dtypes =
        a.dtype() == b.dtype()
            && (a.dtype() == DType.F32 || a.dtype() == DType.BF16)
            && (out.dtype() == DType.F32 || out.dtype() == a.dtype());
    if (!shapes || !layouts || !dtypes) {
      throw new IllegalArgumentException("no product gives %s from %s and %s".formatted(out, a, b));
    }
  }
}
