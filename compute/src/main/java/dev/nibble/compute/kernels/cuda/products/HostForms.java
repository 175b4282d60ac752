package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.MovingKernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.compute.weights.TiledMatrix;
import java.util.HashSet;
import java.util.Set;

/**
 * Frozen matrices of forms that have no kernel here, by their own code: brought to the host,
 * encoded or decoded there, and brought back. Right, and slow, which a warning in the log says once
 * a form.
 */
final class HostForms {
  private static final System.Logger LOG = System.getLogger(HostForms.class.getName());

  private final MovingKernels moving;
  private final Set<String> named = new HashSet<>();

  HostForms(MovingKernels moving) {
    this.moving = moving;
  }

  void encode(FrozenMatrix out, Tensor in) {
    warn(out, "encode");
    try (HostCopies host = new HostCopies(moving)) {
      host.change(out, near -> near.encode(host.of(in)));
    }
  }

  /** See {@link FrozenTiles#decode}. */
  void decode(Tensor out, Rotated matrix) {
    try (HostCopies host = new HostCopies(moving)) {
      Tensor values = host.allocate("values", DType.F32, out.shape().dims());
      matrix.over(host::of).decode(0, matrix.elements(), values.memory());
      moving.copy(out, values);
    }
  }

  /** See {@link FrozenTiles#read}. */
  void decode(Tensor tile, TiledMatrix matrix, long first, long rows, long width) {
    warn(matrix, "decode");
    try (HostCopies host = new HostCopies(moving)) {
      TiledMatrix near = matrix.over(host::of);
      Tensor values = host.allocate("tile", DType.F32, rows, width);
      for (long r = 0; r < rows; r++) {
        near.decode(first + r * matrix.cols(), width, values.slice(r, r + 1).memory());
      }
      moving.copy(tile, values);
    }
  }

  private void warn(FrozenMatrix matrix, String work) {
    if (named.add(work + " " + matrix.getClass())) {
      LOG.log(
          System.Logger.Level.WARNING,
          "kernel set cuda has no kernel to {0} {1}: such weights are worked on by the host, which is slow",
          work,
          matrix);
    }
  }
}
