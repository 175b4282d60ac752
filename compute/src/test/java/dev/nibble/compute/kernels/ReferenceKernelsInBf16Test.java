package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;

/** The suite holds for activations in bfloat16 too. */
final class ReferenceKernelsInBf16Test extends KernelConformance {
  @Override
  protected Kernels open() {
    return new ReferenceKernels();
  }

  @Override
  protected DType activations() {
    return DType.BF16;
  }
}
