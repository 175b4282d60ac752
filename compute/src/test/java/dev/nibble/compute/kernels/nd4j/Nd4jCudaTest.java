package dev.nibble.compute.kernels.nd4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.cuda.driver.CudaDevice;
import dev.nibble.compute.kernels.cuda.work.CudaHost;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

/** What can be said of ND4J's CUDA backend without a GPU, with the profile and without it. */
class Nd4jCudaTest {
  private static CudaDevice card(String name, int major, int minor) {
    return new CudaDevice(0, 0, name, "0000:01:00.0", major, minor, 24L << 30, 80, 99 << 10);
  }

  private final CudaHost host = ServiceLoader.load(CudaHost.class).findFirst().orElseThrow();

  @Test
  void runsOnTheCardsThatItsLibraryHasCodeFor() {
    assertThat(Nd4jCuda.tooNew(card("NVIDIA GeForce RTX 3090", 8, 6))).isEmpty();
    assertThat(Nd4jCuda.tooNew(card("NVIDIA GeForce RTX 4090", 8, 9))).isEmpty();
    assertThat(Nd4jCuda.tooNew(card("NVIDIA H100", 9, 0)))
        .hasValueSatisfying(reason ->
            assertThat(reason)
                .contains(
                    "3.7 to 8.9", "cuda:0, NVIDIA H100, has 9.0", "NVIDIA's driver can allocate"));
    assertThat(Nd4jCuda.tooNew(card("NVIDIA GeForce RTX 5090", 12, 0))).isPresent();
  }

  @Test
  void withoutTheProfileItSaysHowToBuildWithIt() {
    assumeFalse(Nd4jCuda.installed(), "this build has the profile");
    assertThat(host.name()).isEqualTo("nd4j");
    assertThat(host.unavailableBecause(card("NVIDIA GeForce RTX 3090", 8, 6)))
        .hasValueSatisfying(reason -> assertThat(reason).contains("-Pnd4j-cuda"));
    assertThatThrownBy(() -> host.open(card("NVIDIA GeForce RTX 3090", 8, 6)))
        .isInstanceOf(KernelUnavailable.class)
        .hasMessageContaining("-Pnd4j-cuda");
  }

  /** Left alone, ND4J would try its CUDA backend and print why that failed. */
  @Test
  void withTheProfileAndNoGpuTheCpuIsUsedAndTheReasonIsKept() throws Exception {
    if (!Nd4jCuda.installed()) {
      System.out.println("Skipping the start of ND4J's CUDA backend: needs -P" + Nd4jCuda.PROFILE);
    }
    assumeTrue(Nd4jCuda.installed());
    Class.forName("org.nd4j.linalg.jcublas.JCublasBackend");
    Class.forName("org.nd4j.linalg.jcublas.bindings.Nd4jCuda", false, getClass().getClassLoader());
    String reason = Nd4jCuda.unavailableBecause().orElseThrow(() -> gpu());

    PrintStream errors = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try (Kernels kernels = new Nd4jKernelSet().open(KernelOptions.ofThreads(1))) {
      assertThat(kernels.name()).isEqualTo("nd4j");
    } finally {
      System.setErr(errors);
    }
    assertThat(printed.toString(StandardCharsets.UTF_8)).doesNotContain("Error", "Exception");
    assertThat(Nd4jBackend.isCuda()).isFalse();
    assertThat(new Nd4jKernelSet().describe()).contains("threads, not on the GPU: " + reason);
  }

  private static AssertionError gpu() {
    return new AssertionError("this machine has a GPU that ND4J runs on: see the tests tagged gpu");
  }
}
