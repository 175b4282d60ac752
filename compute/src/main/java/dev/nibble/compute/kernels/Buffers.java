package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * An allocator of a model's activation buffers.
 *
 * @param scope owns them
 * @param activations dtype of activations and their gradients
 */
public record Buffers(Scope scope, DType activations) {

  /** Buffers for these kernels. */
  public static Buffers of(Kernels kernels, Scope scope) {
    return new Buffers(scope, kernels.activations());
  }

  /** A buffer for activations or their gradients. */
  public Tensor activation(String name, long... dims) {
    return scope.allocate(name, activations, dims);
  }

  /** A buffer that is F32 whatever the dtype of activations: statistics, small tables, sums. */
  public Tensor statistic(String name, long... dims) {
    return scope.allocate(name, DType.F32, dims);
  }

  /** A buffer for I32 indices, which Java writes. */
  public HostAndDevice indices(String name, long... dims) {
    return HostAndDevice.allocate(scope, name, DType.I32, dims);
  }
}
