package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import org.junit.jupiter.api.Tag;

/** The last block and the last thread run first: kernels may count on no order. */
@Tag("cuda")
final class CudaDescendingOrderTest extends KernelConformance {
  @Override
  protected Kernels open() {
    Kernels kernels = Emulator.open(DType.F32);
    Emulator.configure("descending", 1);
    return kernels;
  }
}
