package dev.nibble.compute.kernels.cuda.work;

import dev.nibble.compute.kernels.MatrixOperations;

/**
 * The shape of a product of [m, k] by [k, n].
 *
 * @param sumsTokens whether k counts tokens, as in the gradient of a weight; else m does
 */
public record ProductShape(long m, long n, long k, boolean sumsTokens) {

  double operations() {
    return MatrixOperations.ofProduct((double) m, (double) n, (double) k);
  }

  /** [m, n, k] with N for tokens, of which each batch has others. */
  @Override
  public String toString() {
    return sumsTokens ? "[%d, %d, N]".formatted(m, n) : "[N, %d, %d]".formatted(n, k);
  }
}
