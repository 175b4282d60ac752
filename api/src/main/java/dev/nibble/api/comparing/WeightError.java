package dev.nibble.api.comparing;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import java.util.stream.IntStream;

/** By how much matrices have changed, summed up over all of them. */
final class WeightError {
  /** Elements of which errors are summed up at once, so that a sum does not depend on threads. */
  private static final int CHUNK = 1 << 14;

  private double squaredError;
  private double squares;

  /** The norm of all errors so far, relative to that of the values. */
  double relative() {
    return squares == 0 ? 0 : Math.sqrt(squaredError / squares);
  }

  /**
   * Adds a matrix.
   *
   * @param values as it was, on the host or in the kernels' memory
   * @param made what it has become, in the kernels' memory
   */
  void add(Kernels kernels, Tensor values, FrozenMatrix made) {
    try (Scope staging = Scope.open("staging", kernels.memory());
        HostCopies host = new HostCopies(kernels)) {
      Tensor decoded = staging.allocate(values.name(), DType.F32, values.shape().dims());
      kernels.products().decode(decoded, made);
      add(host.of(values), host.of(decoded));
    }
  }

  private void add(Tensor values, Tensor decoded) {
    long n = values.elements();
    double[][] sums =
        IntStream.range(0, Math.toIntExact(Math.ceilDiv(n, (long) CHUNK)))
            .parallel()
            .mapToObj(c -> {
              double error = 0;
              double all = 0;
              for (long i = (long) c * CHUNK; i < Math.min(n, (c + 1L) * CHUNK); i++) {
                double value = values.getFloat(i);
                double e = value - decoded.getFloat(i);
                error += e * e;
                all += value * value;
              }
              return new double[] {error, all};
            })
            .toArray(double[][]::new);
    for (double[] sum : sums) {
      squaredError += sum[0];
      squares += sum[1];
    }
  }
}
