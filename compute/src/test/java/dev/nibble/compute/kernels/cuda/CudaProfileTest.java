package dev.nibble.compute.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Cublas;
import dev.nibble.compute.kernels.KernelProfile;
import dev.nibble.compute.kernels.KernelTimes;
import dev.nibble.compute.kernels.KernelTimes.KernelTime;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.cuda.driver.Cuda;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Times of launches on the emulated GPU. */
@Tag("cuda")
final class CudaProfileTest {
  private long before;
  private Kernels kernels;
  private Scope scope;
  private KernelProfile profile;

  @BeforeEach
  void oneDevice() {
    Emulator.configure("devices", 1);
    before = Emulator.alive();
    open(new Cublas.None());
  }

  private void open(Cublas cublas) {
    kernels =
        new CudaKernelSet(() -> Cuda.load(Emulator.library()))
            .open(
                new KernelOptions(
                    0,
                    KernelOptions.Activations.BF16,
                    OptionalInt.empty(),
                    KernelOptions.Debug.PROFILE,
                    cublas,
                    KernelOptions.DeviceMemory.DRIVER));
    scope = Scope.open("test", kernels.memory());
    profile = kernels.profile().orElseThrow();
  }

  private void close() {
    scope.close();
    kernels.close();
  }

  @AfterEach
  void everythingIsGivenBack() {
    close();
    assertThat(Emulator.alive()).isEqualTo(before);
  }

  private Tensor tensor(String name, long... dims) {
    return scope.allocate(name, DType.BF16, dims);
  }

  private static KernelTime only(KernelTimes times, String kernel) {
    return times.kernels().stream().filter(k -> k.name().equals(kernel)).findFirst().orElseThrow();
  }

  private void multiply() {
    kernels
        .products()
        .linearForward(tensor("out", 24, 16), tensor("x", 24, 40), tensor("w", 16, 40));
  }

  @Test
  void callsOfOneKernelAreAddedUp() {
    Tensor sum = tensor("sum", 100);
    profile.start();
    for (int i = 0; i < 3; i++) {
      kernels.pointwise().add(sum, tensor("a", 100), tensor("b", 100));
    }
    KernelTimes times = profile.stop();
    assertThat(times.kernels()).hasSize(1);
    KernelTime add = times.kernels().getFirst();
    assertThat(add.name()).isEqualTo("add_bf16");
    assertThat(add.calls()).isEqualTo(3);
    assertThat(add.bytes()).isEqualTo(3 * 3 * 200);
    assertThat(add.operations()).isZero();
    assertThat(add.seconds()).isPositive();
    assertThat(times.gaps()).isPositive();
  }

  @Test
  void ownProductsByShape() {
    profile.start();
    multiply();
    KernelTime product = only(profile.stop(), "multiply_nt_64_bf16 [N, 16, 40]");
    assertThat(product.operations()).isEqualTo(2 * 24 * 16 * 40);
    assertThat(product.bytes()).isEqualTo(2 * (24 * 16 + 24 * 40 + 16 * 40));
  }

  @Test
  void cublasByShape() {
    close();
    open(new Cublas.At(Path.of(Emulator.library())));
    profile.start();
    multiply();
    KernelTime product = only(profile.stop(), "cublasGemmEx [N, 16, 40]");
    assertThat(product.operations()).isEqualTo(2 * 24 * 16 * 40);
  }

  @Test
  void attentionOfTwoSegments() {
    Tensor segments = scope.allocate("segments", DType.I32, 2, 4);
    try (Scope host = Scope.open("host", Memory.host())) {
      Tensor rows = host.allocate("segments", DType.I32, 2, 4);
      kernels.moving().copy(segments, rows.put(0, 4, 0, 4, 4, 4, 4, 4));
    }
    Tensor q = tensor("q", 8, 2, 64);
    Tensor k = tensor("k", 8, 1, 64);
    Tensor lse = scope.allocate("lse", DType.F32, 8, 2);
    profile.start();
    kernels
        .attention()
        .attentionForward(
            tensor("out", 8, 2, 64),
            lse,
            q,
            k,
            tensor("v", 8, 1, 64),
            segments,
            AttentionRule.causal(1));
    // Two products of 8 queries and, on average, 2 keys.
    assertThat(only(profile.stop(), "attention_tensor_forward_64").operations())
        .isEqualTo(2 * 2 * 8 * 2 * 2 * 64);
  }

  @Test
  void moreLaunchesThanEvents() {
    Tensor x = tensor("x", 8);
    profile.start();
    for (int i = 0; i < 5000; i++) {
      kernels.moving().fill(x, i);
    }
    assertThat(profile.stop().kernels().getFirst().calls()).isEqualTo(5000);
  }

  @Test
  void nothingIsMeasuredWhileItIsOff() {
    multiply();
    profile.start();
    assertThat(profile.stop().kernels()).isEmpty();
    multiply();
    assertThat(profile.stop().kernels()).isEmpty();
  }

  @Test
  void withoutBeingAskedForThereIsNone() {
    try (Kernels plain =
        new CudaKernelSet(() -> Cuda.load(Emulator.library())).open(KernelOptions.ofThreads(0))) {
      assertThat(plain.profile()).isEmpty();
    }
  }
}
