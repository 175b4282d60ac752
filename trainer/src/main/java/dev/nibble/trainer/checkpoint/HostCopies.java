package dev.nibble.trainer.checkpoint;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Tensors where Java can read them: those on the host as they are, others copied until this closes.
 */
final class HostCopies implements AutoCloseable {
  private final Kernels kernels;
  private final Scope scope = Scope.open("checkpoint", Memory.host(), Scope.UNLIMITED);

  HostCopies(Kernels kernels) {
    this.kernels = kernels;
  }

  Tensor of(Tensor tensor) {
    if (tensor.device() instanceof Device.Host) {
      return tensor;
    }
    Tensor copy = scope.allocate(tensor.name(), tensor.dtype(), tensor.shape().dims());
    kernels.copy(copy, tensor);
    return copy;
  }

  @Override
  public void close() {
    scope.close();
  }
}
