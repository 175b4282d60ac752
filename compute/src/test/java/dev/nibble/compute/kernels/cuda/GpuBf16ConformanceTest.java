package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import org.junit.jupiter.api.Tag;

/** The suite on a real card, with activations in bfloat16. */
@Tag("gpu")
final class GpuBf16ConformanceTest extends KernelConformance {
  @Override
  protected Kernels open() {
    return RealGpu.open(KernelOptions.ofThreads(0));
  }

  @Override
  protected DType activations() {
    return DType.BF16;
  }
}
