package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Host copies of device tensors, held until this closes. Tensors of the host are used as they are.
 */
public final class HostCopies implements AutoCloseable {
  private final MovingKernels moving;
  private final Scope scope = Scope.open("host copies", Memory.host());

  /** Copies by {@code kernels}, which stay the caller's. */
  public HostCopies(Kernels kernels) {
    this(kernels.moving());
  }

  /** Copies by kernels that stay the caller's. */
  public HostCopies(MovingKernels moving) {
    this.moving = moving;
  }

  /** The same name, dtype, shape and values on the host; to be read only. */
  public Tensor of(Tensor tensor) {
    if (tensor.device() instanceof Device.Host) {
      return tensor;
    }
    Tensor copy = scope.allocate(tensor.name(), tensor.dtype(), tensor.shape().dims());
    moving.copy(copy, tensor);
    return copy;
  }

  /**
   * Changes a matrix by code of the host, where its tensors may not lie: on copies, which are
   * brought back.
   */
  public void change(FrozenMatrix matrix, Consumer<FrozenMatrix> code) {
    Map<Tensor, Tensor> copies = new HashMap<>();
    code.accept(matrix.over(t -> copies.computeIfAbsent(t, this::of)));
    copies.forEach((there, here) -> {
      if (!here.equals(there)) {
        moving.copy(there, here);
      }
    });
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
