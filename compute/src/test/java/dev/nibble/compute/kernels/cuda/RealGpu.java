package dev.nibble.compute.kernels.cuda;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import java.util.Optional;

/** This machine's GPU, for tests with the tag {@code gpu}; see {@code docs/gpu-testing.md}. */
final class RealGpu {
  private static final String REQUIRE = "NIBBLE_REQUIRE_GPU";

  private RealGpu() {}

  /**
   * Opens the set; where it cannot run, the calling test is skipped, or fails with {@code
   * NIBBLE_REQUIRE_GPU=1}.
   */
  static Kernels open(KernelOptions options) {
    CudaKernelSet set = new CudaKernelSet();
    Optional<String> reason = set.unavailableBecause();
    if (reason.isPresent()) {
      if ("1".equals(System.getenv(REQUIRE))) {
        throw new AssertionError(REQUIRE + "=1, and there is no GPU to test on: " + reason.get());
      }
      System.out.println("Skipping tests on a GPU: " + reason.get());
      return abort(reason.get());
    }
    Kernels kernels = set.open(options);
    System.out.println("Testing on " + set.describe());
    return kernels;
  }
}
