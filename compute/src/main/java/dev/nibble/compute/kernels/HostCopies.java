package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Tensors where Java can read them: those on the host as they are, others copied until this closes.
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

  /** Room on the host for what is put together of several tensors. */
  public Tensor allocate(String name, DType dtype, long... dims) {
    return scope.allocate(name, dtype, dims);
  }

  @Override
  public void close() {
    scope.close();
  }
}
