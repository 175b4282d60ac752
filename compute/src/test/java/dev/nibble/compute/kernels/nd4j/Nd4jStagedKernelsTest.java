package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** As on a device: every tensor is copied to an array of ND4J's own, and back. */
class Nd4jStagedKernelsTest extends KernelConformance {
  @BeforeAll
  static void stage() {
    Nd4jBackend.stageAlways(true);
  }

  @AfterAll
  static void share() {
    Nd4jBackend.stageAlways(false);
  }

  @Override
  protected Kernels open() {
    return new Nd4jKernelSet().open(KernelOptions.exact(0));
  }
}
