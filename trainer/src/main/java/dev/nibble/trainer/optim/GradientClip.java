package dev.nibble.trainer.optim;

import dev.nibble.compute.kernels.HostAndDevice;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Clips gradients by their global norm (arXiv:1211.5063), with PyTorch's factor: {@code min(1,
 * maxNorm / (norm + 1e-6))}.
 */
public final class GradientClip {
  private final Kernels kernels;
  private final double maxNorm;
  private final HostAndDevice sum;

  /**
   * Takes eight bytes from {@code scope}.
   *
   * @param maxNorm largest norm that is left alone; infinite to measure and never clip
   */
  public GradientClip(Kernels kernels, double maxNorm, Scope scope) {
    if (!(maxNorm > 0)) {
      throw new IllegalArgumentException("largest gradient norm must be above 0, not " + maxNorm);
    }
    this.kernels = kernels;
    this.maxNorm = maxNorm;
    this.sum = HostAndDevice.allocate(scope, "optimizer/squares", DType.F64, 1);
  }

  /**
   * Scales the gradients down when their norm is too large; leaves them when it is not finite.
   *
   * @return the norm before clipping
   */
  public double apply(Tensor gradients) {
    double norm = norm(gradients);
    double factor = maxNorm / (norm + 1e-6);
    if (factor < 1 && Double.isFinite(norm)) {
      kernels.pointwise().scale(gradients, factor);
    }
    return norm;
  }

  /** The norm of any tensor; finite only when all its elements are. */
  public double norm(Tensor tensor) {
    kernels.moving().fill(sum.tensor(), 0);
    kernels.optimizers().sumOfSquares(sum.tensor(), tensor);
    return Math.sqrt(sum.toHost(kernels).getDouble(0));
  }
}
