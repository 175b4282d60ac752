package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/** A measurement of how fast a set multiplies matrices on this machine. */
public final class MatrixRate {
  private static final int FIRST = 512;
  private static final int LARGEST = 8192;
  private static final double LONG_ENOUGH = 0.1;
  private static final int REPEATS = 3;

  private MatrixRate() {}

  /**
   * Floating-point operations a second of {@code linearForward} on square matrices, large enough to
   * take a tenth of a second on their own: the best of some calls, with weights in F32 and in BF16.
   * Takes about a second.
   */
  public static double measure(Kernels kernels) {
    double best = 0;
    for (DType weights : List.of(DType.F32, DType.BF16)) {
      best = Math.max(best, measure(kernels, weights));
    }
    return best;
  }

  private static double measure(Kernels kernels, DType weights) {
    double best = 0;
    for (int n = FIRST; n <= LARGEST; n *= 2) {
      try (Scope scope = Scope.open("matrix rate", kernels.memory());
          Scope host = Scope.open("matrix rate", Memory.host())) {
        Tensor out = scope.allocate("out", kernels.activations(), n, n);
        Tensor x = scope.allocate("x", kernels.activations(), n, n);
        Tensor w = scope.allocate("w", weights, n, n);
        Tensor one = host.allocate("one", kernels.activations(), 1);
        kernels.moving().fill(x, 0.5);
        kernels.moving().fill(w, 0.5);
        double fastest = Double.POSITIVE_INFINITY;
        for (int i = 0; i <= REPEATS; i++) {
          long start = System.nanoTime();
          kernels.products().linearForward(out, x, w);
          kernels.moving().copy(one, out.prefix(1)); // waits for a device
          fastest = Math.min(fastest, (System.nanoTime() - start) / 1e9);
        }
        best = Math.max(best, 2.0 * n * n * n / fastest);
        if (fastest > LONG_ENOUGH) {
          break;
        }
      }
    }
    return best;
  }
}
