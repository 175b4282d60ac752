package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;

final class CpuKernelConformanceTest extends KernelConformance {
  @Override
  protected Kernels open() {
    return new CpuKernelSet().open(KernelOptions.exact(2));
  }
}
