package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Where the buffers of a model's passes come from.
 *
 * @param scope owns them
 * @param activations dtype of activations and their gradients
 */
public record Buffers(Scope scope, DType activations) {

  /** Buffers for these kernels. */
  public static Buffers of(Kernels kernels, Scope scope) {
    return new Buffers(scope, kernels.activations());
  }

  /** Room for activations or their gradients. */
  public Tensor activation(String name, long... dims) {
    return scope.allocate(name, activations, dims);
  }

  /** Room for what is F32 whatever activations are: statistics, small tables, sums. */
  public Tensor statistic(String name, long... dims) {
    return scope.allocate(name, DType.F32, dims);
  }

  /** Room for indices, which Java writes. */
  public HostAndDevice indices(String name, long... dims) {
    return HostAndDevice.allocate(scope, name, DType.I32, dims);
  }
}
