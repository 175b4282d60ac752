package dev.nibble.trainer.export;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/**
 * The tensors of another source, read into host memory.
 *
 * @param source works in the kernels' memory
 */
public record HostSource(TensorSource source, Kernels kernels) implements TensorSource {
  @Override
  public List<String> names() {
    return source.names();
  }

  @Override
  public Shape shape(String name) {
    return source.shape(name);
  }

  @Override
  public void read(String name, Tensor out) {
    if (kernels.memory().device() instanceof Device.Host) {
      source.read(name, out);
      return;
    }
    try (Scope near = Scope.open("tensor", kernels.memory())) {
      Tensor made = near.allocate(name, DType.F32, out.shape().dims());
      source.read(name, made);
      kernels.moving().copy(out, made);
    }
  }
}
