package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import org.junit.jupiter.api.Tag;

@Tag("cuda")
final class CudaKernelConformanceTest extends KernelConformance {
  @Override
  protected Kernels open() {
    return Emulator.open(DType.F32);
  }
}
