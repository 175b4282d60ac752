package dev.nibble.compute.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Roofline;
import org.junit.jupiter.api.Test;

/** What the CPU's kernels reach at most. */
final class RooflineTest {

  @Test
  void isOfThisMachine() {
    try (Kernels kernels = new CpuKernelSet().open(KernelOptions.ofThreads(1))) {
      Roofline peak = Roofline.measure(kernels);
      assertThat(peak.operations()).isBetween(1e8, 1e13);
      assertThat(peak.bytes()).isBetween(1e8, 1e12);
      assertThat(peak.seconds(peak.bytes(), 0)).isEqualTo(1);
      assertThat(peak.seconds(0, 2 * peak.operations())).isEqualTo(2);
    }
  }
}
