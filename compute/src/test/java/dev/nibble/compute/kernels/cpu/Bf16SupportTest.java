package dev.nibble.compute.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.tensor.DType;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Processors that take activations in bfloat16, and the set on those that do not. */
final class Bf16SupportTest {
  @Test
  void bfloat16NeedsItsInstructionsAndLongVectors() {
    assertThat(Bf16Support.missingBecause(Set.of("fpu", "avx512f", "avx512_bf16"), 512)).isEmpty();
    assertThat(Bf16Support.missingBecause(Set.of("avx512f", "amx_bf16", "amx_tile"), 512))
        .isEmpty();
    assertThat(Bf16Support.missingBecause(Set.of("asimd", "sve", "bf16"), 512)).isEmpty();
    assertThat(Bf16Support.missingBecause(Set.of("asimd", "bf16"), 128).orElseThrow())
        .contains("128");
    assertThat(Bf16Support.missingBecause(Set.of("fpu", "avx2", "avx512f"), 512).orElseThrow())
        .contains("avx512_bf16");
    assertThat(Bf16Support.missingBecause(Set.of("avx512f", "avx512_bf16"), 256).orElseThrow())
        .contains("256");
    assertThat(Bf16Support.missingBecause(Set.of(), 512)).isPresent();
  }

  @Test
  void autoTakesWhatTheProcessorMultiplies() {
    boolean bf16 = Bf16Support.missingBecause().isEmpty();
    CpuKernelSet set = new CpuKernelSet();
    try (var kernels = set.open(KernelOptions.ofThreads(1))) {
      assertThat(kernels.activations()).isEqualTo(bf16 ? DType.BF16 : DType.F32);
      assertThat(set.describe()).endsWith(bf16 ? ", bf16" : ", f32");
    }
    try (var kernels = set.open(KernelOptions.exact(1))) {
      assertThat(kernels.activations()).isEqualTo(DType.F32);
      assertThat(set.describe()).endsWith(", f32");
    }
  }

  @Test
  void bfloat16IsRefusedWithWhatIsMissing() {
    CpuKernelSet set = new CpuKernelSet();
    if (Bf16Support.missingBecause().isEmpty()) {
      try (var kernels = set.open(CpuInBf16ConformanceTest.inBf16())) {
        assertThat(kernels.activations()).isEqualTo(DType.BF16);
      }
    } else {
      assertThatThrownBy(() -> set.open(CpuInBf16ConformanceTest.inBf16()))
          .isInstanceOf(KernelUnavailable.class)
          .hasMessageContaining(Bf16Support.missingBecause().orElseThrow())
          .hasMessageContaining("type of its activations");
    }
  }
}
