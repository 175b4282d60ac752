package dev.nibble.compute.kernels;

/** The reference passes its own suite: the cases themselves are sound. */
class ReferenceKernelsTest extends KernelConformance {
  @Override
  protected Kernels open() {
    return new ReferenceKernels();
  }
}
