package dev.nibble.compute.kernels.cuda.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.Platform;
import org.junit.jupiter.api.Test;

final class DriverLibraryTest {
  @Test
  void hasItsNameOnEachSystem() {
    assertThat(Cuda.library(Platform.Os.LINUX)).isEqualTo("libcuda.so.1");
    assertThat(Cuda.library(Platform.Os.WINDOWS)).isEqualTo("nvcuda.dll");
  }
}
