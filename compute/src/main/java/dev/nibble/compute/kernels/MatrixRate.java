package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** A measurement of how fast a set multiplies matrices on this machine. */
public final class MatrixRate {
  private static final int FIRST = 512;
  private static final int LARGEST = 8192;
  private static final double LONG_ENOUGH = 0.1;
  private static final int ROUNDS = 5;
  private static final int RANDOM = 1 << 18;

  private MatrixRate() {}

  /**
   * Floating-point operations a second of {@code linearForward} on large square matrices of random
   * numbers, sustained for half a second: the better of weights in F32 and in BF16. A card draws
   * more power for random bits than for zeros, and a burst of some milliseconds is over before it
   * lowers its clock. Takes one to a few seconds.
   */
  public static double measure(Kernels kernels) {
    double best = 0;
    for (DType weights : List.of(DType.F32, DType.BF16)) {
      best = Math.max(best, measure(kernels, weights));
    }
    return best;
  }

  /** Takes the smallest matrices of which one product is long, or the largest. */
  private static double measure(Kernels kernels, DType weights) {
    for (int n = FIRST; ; n *= 2) {
      try (Products products = new Products(kernels, weights, n)) {
        products.seconds(1);
        double once = products.seconds(1);
        if (once > LONG_ENOUGH || n == LARGEST) {
          int calls = (int) Math.ceil(LONG_ENOUGH / once);
          double[] rounds = new double[ROUNDS];
          for (int i = 0; i < ROUNDS; i++) {
            rounds[i] = products.seconds(calls);
          }
          Arrays.sort(rounds);
          return MatrixOperations.ofProduct(n, n, n) * calls / rounds[ROUNDS / 2];
        }
      }
    }
  }

  /** Square matrices to multiply. */
  private static final class Products implements AutoCloseable {
    private final Kernels kernels;
    private final Scope scope;
    private final Scope host = Scope.open("matrix rate", Memory.host());
    private final Tensor out;
    private final Tensor x;
    private final Tensor weight;
    private final Tensor one;

    Products(Kernels kernels, DType weights, int n) {
      this.kernels = kernels;
      scope = Scope.open("matrix rate", kernels.memory());
      out = scope.allocate("out", kernels.activations(), n, n);
      x = scope.allocate("x", kernels.activations(), n, n);
      weight = scope.allocate("w", weights, n, n);
      one = host.allocate("one", kernels.activations(), 1);
      randomise(x);
      randomise(weight);
    }

    /** Fills a matrix with the same normal numbers again and again. */
    private void randomise(Tensor matrix) {
      Tensor block = host.allocate(matrix.name(), matrix.dtype(), RANDOM);
      SplittableRandom random = new SplittableRandom(0);
      for (int i = 0; i < RANDOM; i++) {
        block.setFloat(i, random.nextGaussian());
      }
      for (long from = 0; from < matrix.elements(); from += RANDOM) {
        kernels.moving().copy(matrix.part(from, RANDOM), block);
      }
    }

    /** What so many products take, one after another. */
    double seconds(int calls) {
      long start = System.nanoTime();
      for (int i = 0; i < calls; i++) {
        kernels.products().linearForward(out, x, weight);
      }
      kernels.moving().copy(one, out.prefix(1)); // waits for a device
      return (System.nanoTime() - start) / 1e9;
    }

    @Override
    public void close() {
      try (scope;
          host) {
        // Both are closed.
      }
    }
  }
}
