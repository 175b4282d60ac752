package dev.nibble.compute.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.Platform.Architecture;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the set {@code cpu} says about itself. */
final class CpuKernelSetTest {
  @ParameterizedTest
  @CsvSource({
    "X86_64, avx2, 512, AVX-512",
    "X86_64, avx2, 256, AVX2",
    "X86_64, avx2, 128, 128-bit vectors",
    "ARM64, asimd, 128, 'NEON, 128 bits'",
    "ARM64, sve, 128, 'SVE, 128 bits'",
    "ARM64, sve, 512, 'SVE, 512 bits'",
    "OTHER, v, 256, 256-bit vectors"
  })
  void namesItsVectorsByTheProcessor(
      Architecture architecture, String flag, int bits, String label) {
    assertThat(CpuKernelSet.vectors(architecture, Set.of(flag), bits)).isEqualTo(label);
  }
}
