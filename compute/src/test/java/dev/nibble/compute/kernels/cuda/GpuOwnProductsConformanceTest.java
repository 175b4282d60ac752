package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import org.junit.jupiter.api.Tag;

/** The suite on a real card, with the set's own matrix products. */
@Tag("gpu")
final class GpuOwnProductsConformanceTest extends KernelConformance {
  @Override
  protected Kernels open() {
    return RealGpu.open(KernelOptions.exact(0).multiplyingBy(new KernelOptions.Cublas.None()));
  }
}
