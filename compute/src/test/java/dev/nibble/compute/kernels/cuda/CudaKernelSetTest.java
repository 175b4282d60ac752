package dev.nibble.compute.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Activations;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.cuda.driver.Cuda;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Machines on which the set can run, and others. */
@Tag("cuda")
final class CudaKernelSetTest {
  private final CudaKernelSet set = new CudaKernelSet(() -> Cuda.load(Emulator.library()));

  @BeforeAll
  static void needsTheEmulator() {
    Emulator.library();
  }

  @BeforeEach
  @AfterEach
  void anOrdinaryMachine() {
    Emulator.configure("devices", 1);
    Emulator.configure("driver_version", 13000);
    Emulator.configure("capability", 86);
  }

  private static KernelOptions onDevice(int index) {
    return new KernelOptions(
        0,
        Activations.AUTO,
        OptionalInt.of(index),
        KernelOptions.Debug.NONE,
        new KernelOptions.Cublas.None(),
        KernelOptions.DeviceMemory.DRIVER);
  }

  @Test
  void noDriver() {
    CudaKernelSet without = new CudaKernelSet(() -> Cuda.load("libcuda-missing.so.1"));
    assertThat(without.unavailableBecause())
        .contains(
            "libcuda-missing.so.1 cannot be loaded; install NVIDIA's driver, or start the container with --gpus all");
    assertThatThrownBy(() -> without.open(KernelOptions.ofThreads(0)))
        .isInstanceOf(KernelUnavailable.class)
        .hasMessageContaining("libcuda-missing.so.1");
  }

  @Test
  void aLibraryThatIsNoDriver() {
    CudaKernelSet wrong = new CudaKernelSet(() -> Cuda.load("libm.so.6"));
    assertThat(wrong.unavailableBecause().orElseThrow())
        .startsWith("libm.so.6 has no function cuGetErrorName: update NVIDIA's driver");
  }

  @Test
  void anOldDriver() {
    Emulator.configure("driver_version", 11040);
    assertThat(set.unavailableBecause())
        .contains(
            "NVIDIA's driver is of CUDA 11.4 and the kernels need 11.8; update the driver to version 520 or later");
  }

  @Test
  void noDevice() {
    Emulator.configure("devices", 0);
    assertThat(set.unavailableBecause().orElseThrow())
        .contains("CUDA_ERROR_NO_DEVICE", "nvidia-smi", "--gpus all");
  }

  @Test
  void anOldDevice() {
    Emulator.configure("capability", 75);
    assertThat(set.unavailableBecause())
        .contains(
            "Emulated GPU 0 has compute capability 7.5 and the kernels need 8.0 (Ampere) or later; use the kernel set cpu");
    assertThat(set.describe()).startsWith("not available: Emulated GPU 0");
  }

  @Test
  void theSecondDevice() {
    Emulator.configure("devices", 2);
    try (Kernels kernels = set.open(onDevice(1))) {
      assertThat(kernels.memory().device()).isEqualTo(new Device.Cuda(1));
      assertThat(set.describe())
          .startsWith("Emulated GPU 1 (cuda:1, PCI 0000:02:00.0), compute capability 8.6,");
    }
    assertThat(Emulator.alive()).isZero();
  }

  @Test
  void aDeviceThatIsNotThere() {
    assertThatThrownBy(() -> set.open(onDevice(1)))
        .isInstanceOf(KernelUnavailable.class)
        .hasMessage("cuda:1 is not there, the driver has cuda:0 alone");
  }

  @Test
  void activationsAreBf16UnlessTheyMustNotBe() {
    try (Kernels kernels = set.open(KernelOptions.ofThreads(0))) {
      assertThat(kernels.activations()).isEqualTo(DType.BF16);
      assertThat(set.describe())
          .isEqualTo(
              "Emulated GPU 0 (cuda:0, PCI 0000:01:00.0), compute capability 8.6, 4.0 GiB, driver of CUDA 13.0, own products, bf16");
    }
    try (Kernels kernels = set.open(KernelOptions.exact(0))) {
      assertThat(kernels.activations()).isEqualTo(DType.F32);
      assertThat(set.describe()).endsWith(", f32");
    }
  }
}
