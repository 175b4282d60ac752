package dev.nibble.api.comparing;

import dev.nibble.compute.tensor.Tensor;
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

  /** Adds a matrix as it was and as it has become, on the host. */
  void add(Tensor values, Tensor decoded) {
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
