package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.SameDiffOracle;

class CpuGradientTest extends SameDiffOracle {
  @Override
  protected Kernels open() {
    return new CpuKernelSet().open(KernelOptions.exact(0));
  }
}
