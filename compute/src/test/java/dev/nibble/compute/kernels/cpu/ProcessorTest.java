package dev.nibble.compute.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.tensor.DType;
import org.junit.jupiter.api.Test;

/** Which processors take activations in bfloat16, and what the set makes of it. */
final class ProcessorTest {
  @Test
  void bfloat16NeedsItsInstructionsAndLongVectors() {
    assertThat(Processor.noBf16Because("fpu avx512f avx512_bf16", 512)).isEmpty();
    assertThat(Processor.noBf16Because("avx512f amx_bf16 amx_tile", 512)).isEmpty();
    assertThat(Processor.noBf16Because("fpu avx2 avx512f", 512).orElseThrow())
        .contains("avx512_bf16");
    assertThat(Processor.noBf16Because("avx512f avx512_bf16", 256).orElseThrow()).contains("256");
    assertThat(Processor.noBf16Because("", 512)).isPresent();
  }

  @Test
  void autoTakesWhatTheProcessorMultiplies() {
    boolean bf16 = Processor.noBf16Because().isEmpty();
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
    if (Processor.noBf16Because().isEmpty()) {
      try (var kernels = set.open(CpuInBf16ConformanceTest.inBf16())) {
        assertThat(kernels.activations()).isEqualTo(DType.BF16);
      }
    } else {
      assertThatThrownBy(() -> set.open(CpuInBf16ConformanceTest.inBf16()))
          .isInstanceOf(KernelUnavailable.class)
          .hasMessageContaining(Processor.noBf16Because().orElseThrow())
          .hasMessageContaining("type of its activations");
    }
  }
}
