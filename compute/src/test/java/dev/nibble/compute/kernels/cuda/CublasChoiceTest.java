package dev.nibble.compute.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Cublas;
import dev.nibble.compute.kernels.KernelOptions.DeviceMemory;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.cuda.driver.Cuda;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who multiplies, by the recipe's key {@code cublas}. */
@Tag("cuda")
final class CublasChoiceTest {
  private final CudaKernelSet set = new CudaKernelSet(() -> Cuda.load(Emulator.library()));

  @BeforeEach
  void oneDevice() {
    Emulator.configure("devices", 1);
    Emulator.configure("capability", 86);
    Emulator.configure("driver_version", 13000);
  }

  private Kernels open(Cublas cublas) {
    return set.open(
        new KernelOptions(
            0,
            KernelOptions.Activations.AUTO,
            OptionalInt.empty(),
            KernelOptions.Debug.NONE,
            cublas,
            DeviceMemory.DRIVER));
  }

  @Test
  void aLibraryThatIsNamed() {
    long before = Emulator.alive();
    Kernels kernels = open(new Cublas.At(Path.of(Emulator.library())));
    kernels.close();
    assertThat(set.describe()).contains("cuBLAS 12.4.5 (" + Emulator.library() + "), bf16");
    assertThat(Emulator.alive()).isEqualTo(before);
  }

  @Test
  void ownProducts() {
    open(new Cublas.None()).close();
    assertThat(set.describe()).contains("own products, bf16");
  }

  @Test
  void aLibraryThatIsNotThere(@TempDir Path folder) {
    Path library = folder.resolve("libcublas.so.12");
    assertThatThrownBy(() -> open(new Cublas.At(library)))
        .isInstanceOf(KernelUnavailable.class)
        .hasMessageContaining(library.toString())
        .hasMessageContaining("own matrix products");
  }

  @Test
  void anotherLibrary() {
    assertThatThrownBy(
            () -> open(new Cublas.At(Path.of(System.getProperty("java.home"), "lib/libjava.so"))))
        .isInstanceOf(KernelUnavailable.class)
        .hasMessageContaining("libjava.so has no function cublasCreate_v2");
  }
}
