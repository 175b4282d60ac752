package dev.nibble.compute.kernels.cuda.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.nibble.compute.kernels.KernelOptions.Debug;
import dev.nibble.compute.kernels.cuda.Emulator;
import dev.nibble.compute.kernels.cuda.driver.Cuda;
import dev.nibble.compute.kernels.cuda.driver.CudaException;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Launches of the kernels in {@code compute/src/test/cuda/probe.cpp}. */
@Tag("cuda")
final class LaunchTest {
  private Gpu gpu;
  private Scope device;
  private final Scope host = Scope.open("host", Memory.host());

  @BeforeAll
  static void needsTheEmulator() {
    Emulator.library();
  }

  @BeforeEach
  void open() {
    open(Debug.NONE);
  }

  private void open(Debug debug) {
    Emulator.configure("descending", 0);
    gpu = Gpu.open(Cuda.load(Emulator.library()), 0, debug, Optional.empty(), List.of("probe"));
    device = Scope.open("test", gpu.memory());
  }

  @AfterEach
  void everythingIsGivenBack() {
    close();
    host.close();
    assertThat(Emulator.alive()).isZero();
  }

  private void close() {
    device.close();
    gpu.close();
  }

  private Tensor onDevice(String name, float... values) {
    Tensor t = device.allocate(name, DType.F32, values.length);
    gpu.launch().copyBytes(t, host.allocate(name, DType.F32, values.length).put(values));
    return t;
  }

  private float[] read(Tensor t) {
    Tensor copy = host.allocate(t.name(), DType.F32, t.elements());
    gpu.launch().copyBytes(copy, t);
    return copy.toFloats();
  }

  @Test
  void memoryIsZeroed() {
    assertThat(read(device.allocate("x", DType.F32, 1000))).containsOnly(0);
  }

  @Test
  void argumentsArriveInOrder() {
    Tensor a = onDevice("a", 1, 2, 3);
    Tensor out = device.allocate("out", DType.F32, 3);
    Launch launch = gpu.launch();
    launch.kernel("probe_add", DType.F32).tensor(out).tensor(a);
    launch.i64(3).i32(-2).f32(0.5).f64(10).each(3);
    assertThat(read(out)).containsExactly(9, 8, 7);
    launch.kernel("probe_add_f32").tensor(out).none().i64(2).i32(1).f32(1).f64(4).each(2);
    assertThat(read(out)).containsExactly(4, 4, 7);
  }

  @Test
  void eachReachesMoreItemsThanThreads() {
    Tensor out = device.allocate("out", DType.F32, 100_000);
    Launch launch = gpu.launch();
    launch.kernel("probe_add_f32").tensor(out).none().i64(100_000).i32(1).f32(1).f64(7);
    launch.each(100_000);
    assertThat(read(out)).containsOnly(7);
  }

  @Test
  void aViewBeginsAtItsOffset() {
    Tensor out = device.allocate("out", DType.F32, 4, 2);
    Launch launch = gpu.launch();
    Tensor rows = out.slice(1, 3);
    launch.kernel("probe_add_f32").tensor(rows).none().i64(4).i32(1).f32(1).f64(7).each(4);
    assertThat(read(out)).containsExactly(0, 0, 7, 7, 7, 7, 0, 0);
  }

  @Test
  void nothingRunsOverNothing() {
    Tensor out = onDevice("out", 1);
    Launch launch = gpu.launch();
    launch.kernel("probe_overrun").tensor(out).i64(1).each(0);
    launch.kernel("probe_shared").tensor(out).i32(1).grid(1, 0, 1, 32, 4);
    assertThat(read(out)).containsExactly(1);
  }

  @Test
  void sharedMemoryAboveTheDefault() {
    for (int bytes : new int[] {4, 48 << 10, 96 << 10, 16}) {
      Tensor out = device.allocate("out", DType.F32, 2 * 3 * 2);
      gpu.launch().kernel("probe_shared").tensor(out).i32(bytes / 4).grid(2, 3, 2, 64, bytes);
      assertThat(read(out)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    }
    Tensor out = device.allocate("out", DType.F32, 1);
    gpu.launch().kernel("probe_shared").tensor(out).i32(1);
    assertThatThrownBy(() -> gpu.launch().grid(1, 1, 1, 64, 1 << 20))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining(
            "probe_shared(out F32[1] on cuda:0, i32 1), 1 x 1 x 1 blocks of 64 threads, 1048576 bytes shared")
        .hasMessageContaining("CUDA_ERROR_INVALID_VALUE (1, invalid argument)");
  }

  @Test
  void argumentsMustBeWhatTheKernelTakes() {
    Tensor out = onDevice("out", 1);
    assertThatThrownBy(() -> gpu.launch().kernel("probe_overrun").tensor(out).i32(1))
        .hasMessage("kernel probe_overrun takes (.u64, .u64), and argument 2 is given as I32");
    assertThatThrownBy(() -> gpu.launch().kernel("probe_overrun").tensor(out).i64(1).none())
        .hasMessageContaining("argument 3");
    assertThatThrownBy(() -> gpu.launch().kernel("probe_overrun").tensor(out).each(1))
        .hasMessage("kernel probe_overrun takes (.u64, .u64), and only 1 are given");
    assertThatThrownBy(() -> gpu.launch().kernel("probe_add", DType.F16))
        .hasMessageContaining("probe_add_f16");
    assertThatThrownBy(
            () -> gpu.launch().kernel("probe_overrun").tensor(out).i64(1).grid(1, 65536, 1, 32, 0))
        .hasMessageContaining("1 x 65536 x 1 blocks");
  }

  @Test
  void tensorsMustBeAliveAndHere() {
    Scope batch = device.child("batch");
    Tensor gone = batch.allocate("gone", DType.F32, 2);
    batch.close();
    assertThatThrownBy(() -> gpu.launch().kernel("probe_overrun").tensor(gone))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "probe_overrun: the memory of gone F32[2] on cuda:0 was given back when its scope closed");
    Tensor there = host.allocate("there", DType.F32, 2);
    assertThatThrownBy(() -> gpu.launch().copyBytes(there, gone))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> gpu.launch().kernel("probe_overrun").tensor(there))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("probe_overrun: expected a tensor on cuda:0, got there F32[2] on host");
  }

  @Test
  void withSyncAnErrorNamesItsKernel() {
    close();
    open(Debug.SYNC);
    Tensor out = device.allocate("out", DType.F32, 4);
    assertThatThrownBy(() -> gpu.launch().kernel("probe_overrun").tensor(out).i64(4).each(1))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining(
            "probe_overrun(out F32[4] on cuda:0, i64 4), 1 x 1 x 1 blocks of 256 threads")
        .hasMessageContaining("CUDA_ERROR_ILLEGAL_ADDRESS (700");
  }

  @Test
  void withoutSyncAnErrorComesLaterAndStays() {
    Tensor out = device.allocate("out", DType.F32, 4);
    Tensor copy = host.allocate("copy", DType.F32, 4);
    gpu.launch().kernel("probe_overrun").tensor(out).i64(4).each(1);
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> gpu.launch().copyBytes(copy, out))
          .isInstanceOf(CudaException.class)
          .hasMessageContaining("CUDA_ERROR_ILLEGAL_ADDRESS")
          .hasMessageContaining("waiting for each kernel");
    }
    close();
    open(Debug.NONE);
    assertThat(read(onDevice("works again", 5))).containsExactly(5);
  }

  @Test
  void anErrorThatNobodyAskedForComesWhenTheSetCloses() {
    Tensor out = device.allocate("out", DType.F32, 4);
    gpu.launch().kernel("probe_overrun").tensor(out).i64(4).each(1);
    assertThatThrownBy(device::close)
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("CUDA_ERROR_ILLEGAL_ADDRESS");
    gpu.close();
    open(Debug.NONE);
  }

  @Test
  void aLaunchAllocatesNothing() {
    Tensor out = onDevice("out", 1);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    launches(out, 30_000); // until the compiler has it
    long before = threads.getCurrentThreadAllocatedBytes();
    launches(out, 1_000);
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(1_000);
  }

  private void launches(Tensor out, int count) {
    Launch launch = gpu.launch();
    for (int i = 0; i < count; i++) {
      launch.kernel("probe_add", DType.F32).tensor(out).tensor(out).i64(1).i32(i).f32(1).f64(2);
      launch.blocks(1, 32);
    }
    read(out);
  }
}
