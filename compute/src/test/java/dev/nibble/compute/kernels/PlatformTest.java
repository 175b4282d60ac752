package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names of platforms: as Java gives them, and as artifacts with native libraries bear them. */
final class PlatformTest {
  @ParameterizedTest
  @CsvSource({
    "Linux, amd64, linux-x86_64",
    "Linux, aarch64, linux-arm64",
    "Mac OS X, x86_64, macosx-x86_64",
    "Mac OS X, aarch64, macosx-arm64",
    "Windows 11, amd64, windows-x86_64",
    "Windows Server 2025, aarch64, windows-arm64",
    "Linux, riscv64, linux-other",
    "FreeBSD, amd64, other-x86_64"
  })
  void hasTheClassifierOfItsArtifacts(String name, String arch, String classifier) {
    assertThat(Platform.of(name, arch).classifier()).isEqualTo(classifier);
  }

  @Test
  void hereIsOneThatNibbleIsMadeFor() {
    assertThat(Platform.here().classifier()).doesNotContain("other");
  }
}
