package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import java.util.Optional;
import org.junit.jupiter.api.Tag;

/** Weights in tiles of some rows or columns, multiplied by cuBLAS. */
@Tag("cuda")
final class CudaSmallTilesTest extends KernelConformance {
  @Override
  protected DType activations() {
    return DType.BF16;
  }

  @Override
  protected Kernels open() {
    return Emulator.open(DType.BF16, Optional.of(Emulator.cublas()), 4096);
  }
}
