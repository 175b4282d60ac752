package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import org.junit.jupiter.api.Tag;

/** The suite on a real card, with the set's own matrix products, and activations in bfloat16. */
@Tag("gpu")
final class GpuOwnProductsInBf16ConformanceTest extends KernelConformance {
  @Override
  protected Kernels open() {
    return RealGpu.open(KernelOptions.ofThreads(0).multiplyingBy(new KernelOptions.Cublas.None()));
  }

  @Override
  protected DType activations() {
    return DType.BF16;
  }
}
