package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.SameDiffOracle;

class CpuGradientTest extends SameDiffOracle {
  @Override
  protected Kernels open() {
    return new CpuKernelSet().open(0);
  }
}
