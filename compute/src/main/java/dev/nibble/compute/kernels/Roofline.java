package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * What a set reaches at most on this machine (Williams, Waterman and Patterson 2009): a kernel is
 * bound by arithmetic or by memory.
 *
 * @param operations floating-point operations a second of large matrix products, measured
 * @param bytes a second that a sum of two long vectors reads and writes, measured
 */
public record Roofline(double operations, double bytes) {
  private static final long VECTOR_BYTES = 128L << 20;
  private static final int CALLS = 8;
  private static final int ROUNDS = 3;

  /** Measures a set; takes one to a few seconds, and 0.4 GiB for a moment. */
  public static Roofline measure(Kernels kernels) {
    return new Roofline(MatrixRate.measure(kernels), bandwidth(kernels));
  }

  /** The least time for reading and writing so much and computing so much. */
  public double seconds(double movedBytes, double matrixOperations) {
    return Math.max(movedBytes / bytes, matrixOperations / operations);
  }

  private static double bandwidth(Kernels kernels) {
    DType dtype = kernels.activations();
    long elements = VECTOR_BYTES / dtype.bytes();
    try (Scope scope = Scope.open("bandwidth", kernels.memory());
        Scope host = Scope.open("bandwidth", Memory.host())) {
      Tensor a = scope.allocate("a", dtype, elements);
      Tensor b = scope.allocate("b", dtype, elements);
      Tensor out = scope.allocate("out", dtype, elements);
      Tensor one = host.allocate("one", dtype, 1);
      double fastest = Double.POSITIVE_INFINITY;
      for (int i = 0; i <= ROUNDS; i++) {
        long start = System.nanoTime();
        for (int call = 0; call < CALLS; call++) {
          kernels.pointwise().add(out, a, b);
        }
        kernels.moving().copy(one, out.prefix(1)); // waits for a device
        fastest = Math.min(fastest, (System.nanoTime() - start) / 1e9);
      }
      return 3.0 * VECTOR_BYTES * CALLS / fastest;
    }
  }
}
