package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.SameDiffOracle;

class Nd4jGradientTest extends SameDiffOracle {
  @Override
  protected Kernels open() {
    return new Nd4jKernelSet().open(KernelOptions.exact(0));
  }
}
