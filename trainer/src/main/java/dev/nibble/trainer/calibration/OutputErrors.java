package dev.nibble.trainer.calibration;

import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.SecondMoments;
import java.util.stream.IntStream;

/**
 * By how much a linear map's outputs change when its weight does: with E the change and H the sum
 * of x x^T over N inputs, tr(E H E^T) / N, which is the mean square of E x over inputs.
 */
final class OutputErrors {
  private OutputErrors() {}

  /**
   * The error of a matrix.
   *
   * @param values [O, I] as they were, on the host
   * @param made what they have become, in the kernels' memory
   * @param moments of the map's inputs
   */
  static double of(Kernels kernels, Tensor values, FrozenMatrix made, SecondMoments moments) {
    long inputs = values.cols();
    try (Scope scope = Scope.open("error", kernels.memory());
        HostCopies host = new HostCopies(kernels)) {
      Tensor decoded = scope.allocate("decoded", DType.F32, values.shape().dims());
      kernels.products().decode(decoded, made);
      Tensor error = Buffers.of(kernels, scope).activation("error", values.shape().dims());
      kernels.moving().copy(error, difference(host, host.of(decoded), values));
      Tensor square = scope.allocate("square", DType.F32, inputs, inputs);
      kernels.moving().fill(square, 0);
      kernels.products().linearBackwardWeight(square, error, error, 1);
      // tr(E H E^T) = sum over i, j of (E^T E)_ij H_ij
      return Math.max(0, dot(host.of(square), moments.sum()) / moments.tokens());
    }
  }

  private static Tensor difference(HostCopies host, Tensor decoded, Tensor values) {
    Tensor difference = host.allocate("difference", DType.F32, values.shape().dims());
    long cols = values.cols();
    IntStream.range(0, Math.toIntExact(values.rows()))
        .parallel()
        .forEach(row -> {
          for (long i = row * cols; i < (row + 1) * cols; i++) {
            difference.setFloat(i, (double) decoded.getFloat(i) - values.getFloat(i));
          }
        });
    return difference;
  }

  /** The sum of all products, by rows, so that it does not depend on threads. */
  private static double dot(Tensor a, Tensor b) {
    long cols = a.cols();
    double[] rows =
        IntStream.range(0, Math.toIntExact(a.rows()))
            .parallel()
            .mapToDouble(row -> {
              double sum = 0;
              for (long i = row * cols; i < (row + 1) * cols; i++) {
                sum += (double) a.getFloat(i) * b.getFloat(i);
              }
              return sum;
            })
            .toArray();
    double sum = 0;
    for (double row : rows) {
      sum += row;
    }
    return sum;
  }
}
