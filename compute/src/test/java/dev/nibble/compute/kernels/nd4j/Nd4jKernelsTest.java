package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;

class Nd4jKernelsTest extends KernelConformance {
  @Override
  protected Kernels open() {
    return new Nd4jKernelSet().open(KernelOptions.exact(0));
  }
}
