package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Host copies of device tensors, held until this closes. Tensors of the host are used as they are.
 */
public final class HostCopies implements AutoCloseable {
  private final Kernels kernels;
  private final Scope scope = Scope.open("host copies", Memory.host());

  /** Copies by {@code kernels}, which stay the caller's. */
  public HostCopies(Kernels kernels) {
    this.kernels = kernels;
  }

  /** The same name, dtype, shape and values on the host; to be read only. */
  public Tensor of(Tensor tensor) {
    if (tensor.device() instanceof Device.Host) {
      return tensor;
    }
    Tensor copy = scope.allocate(tensor.name(), tensor.dtype(), tensor.shape().dims());
    kernels.moving().copy(copy, tensor);
    return copy;
  }

  /** A tensor on the host, to combine several tensors in. */
  public Tensor allocate(String name, DType dtype, long... dims) {
    return scope.allocate(name, dtype, dims);
  }

  @Override
  public void close() {
    scope.close();
  }
}
