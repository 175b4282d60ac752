package dev.nibble.compute.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Processor;
import dev.nibble.compute.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Processors that take activations in bfloat16, and the set on those that do not. */
final class Bf16SupportTest {
  @TempDir private Path folder;

  @Test
  void bfloat16NeedsItsInstructionsAndLongVectors() {
    assertThat(Bf16Support.missingBecause(Set.of("fpu", "avx512f", "avx512_bf16"), 512)).isEmpty();
    assertThat(Bf16Support.missingBecause(Set.of("avx512f", "amx_bf16", "amx_tile"), 512))
        .isEmpty();
    assertThat(Bf16Support.missingBecause(Set.of("fpu", "avx2", "avx512f"), 512).orElseThrow())
        .contains("avx512_bf16");
    assertThat(Bf16Support.missingBecause(Set.of("avx512f", "avx512_bf16"), 256).orElseThrow())
        .contains("256");
    assertThat(Bf16Support.missingBecause(Set.of(), 512)).isPresent();
  }

  /** As Linux describes Neoverse N2 and a processor with long vectors; nobody has tried either. */
  @ParameterizedTest
  @CsvSource({
    "fp asimd asimddp sve sve2 bf16 i8mm svebf16, 128, those of this Arm processor have not been tried",
    "fp asimd sve sve2 bf16 svebf16, 512, those of this Arm processor have not been tried",
    "fp asimd asimddp sve, 512, this processor has no instructions for bfloat16",
  })
  void anArmProcessorIsRefused(String features, int bits, String reason) throws IOException {
    Path cpuinfo = folder.resolve("cpuinfo");
    Files.writeString(
        cpuinfo,
        """
        processor\t: 0
        BogoMIPS\t: 2000.00
        Features\t: %s
        CPU implementer\t: 0x41
        CPU part\t: 0xd49
        """
            .formatted(features));
    assertThat(Bf16Support.missingBecause(Processor.read(cpuinfo).flags(), bits).orElseThrow())
        .contains(reason);
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
