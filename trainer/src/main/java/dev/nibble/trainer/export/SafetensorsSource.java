package dev.nibble.trainer.export;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/** The tensors of a checkpoint as its files hold them. */
public final class SafetensorsSource implements TensorSource {
  private final ShardedSafetensors files;
  private final Kernels kernels;

  /**
   * A source.
   *
   * @param files stays the caller's, and open
   * @param kernels of host memory
   */
  public SafetensorsSource(ShardedSafetensors files, Kernels kernels) {
    this.files = files;
    this.kernels = kernels;
  }

  @Override
  public List<String> names() {
    return List.copyOf(files.names());
  }

  @Override
  public Shape shape(String name) {
    return files.tensor(name).shape();
  }

  /**
   * See {@link TensorSource#read}.
   *
   * @throws ExportException when the file holds integers under this name
   */
  @Override
  public void read(String name, Tensor out) {
    Tensor stored = files.tensor(name);
    if (!stored.dtype().isFloating()) {
      throw new ExportException(
          "tensor '%s' is %s; expected floating-point weights".formatted(name, stored.dtype()));
    }
    kernels.copy(out, stored);
    files.unload(name);
  }
}
