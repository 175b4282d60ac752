package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import org.junit.jupiter.api.Tag;

/** Activations in bfloat16. */
@Tag("cuda")
final class CudaInBf16Test extends KernelConformance {
  @Override
  protected Kernels open() {
    return Emulator.open(DType.BF16);
  }

  @Override
  protected DType activations() {
    return DType.BF16;
  }
}
