package dev.nibble.compute.kernels.cuda.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.cuda.Emulator;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.OutOfDeviceMemory;
import dev.nibble.compute.tensor.Scope;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the driver hands out goes back once, and is not used afterwards. */
@Tag("cuda")
final class OwnersTest {
  private static final String PTX =
      ".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry probe_overrun(.param .u64 a, .param .u64 b)";

  private Cuda cuda;
  private Context context;

  @BeforeAll
  static void needsTheEmulator() {
    Emulator.library();
  }

  @BeforeEach
  void open() {
    cuda = Cuda.load(Emulator.library());
    cuda.initialize();
    context = Context.of(cuda, CudaDevice.of(cuda, 0));
  }

  @AfterEach
  void everythingIsGivenBack() {
    Emulator.configure("memory", 4L << 30);
    assertThat(Emulator.alive()).isZero();
    assertThatThrownBy(context::close).hasMessage("the context of cuda:0 is closed twice");
  }

  private void assertClosesOnce(AutoCloseable owner, String what) throws Exception {
    owner.close();
    assertThatThrownBy(owner::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(what + " of cuda:0 is closed twice");
  }

  @Test
  void eachOwnerClosesOnce() throws Exception {
    assertClosesOnce(new Stream(context), "a stream");
    assertClosesOnce(Event.ordering(context), "an event");
    assertClosesOnce(new DeviceMemory(context, 12), "an allocation of 12 bytes");
    assertClosesOnce(new PinnedMemory(context, 12), "pinned memory of 12 bytes");
    assertClosesOnce(PtxModule.load(context, "probe", PTX), "module probe");
    context.close();
  }

  @Test
  void nothingIsUsedAfterItIsClosed() {
    Stream stream = new Stream(context);
    Event event = Event.ordering(context);
    PtxModule module = PtxModule.load(context, "probe", PTX);
    stream.close();
    event.close();
    module.close();
    assertThatThrownBy(stream::synchronize).hasMessage("a stream of cuda:0 is closed");
    assertThatThrownBy(event::synchronize).hasMessage("an event of cuda:0 is closed");
    assertThatThrownBy(() -> module.function("probe_overrun"))
        .hasMessage("module probe of cuda:0 is closed");
    context.close();
    assertThatThrownBy(() -> new Stream(context)).hasMessage("the context of cuda:0 is closed");
  }

  @Test
  void streamsWaitForEvents() {
    try (Stream first = new Stream(context);
        Stream second = new Stream(context);
        Event end = Event.ordering(context);
        PinnedMemory from = new PinnedMemory(context, 8);
        PinnedMemory to = new PinnedMemory(context, 8);
        DeviceMemory memory = new DeviceMemory(context, 8)) {
      from.segment().set(ValueLayout.JAVA_LONG, 0, 42);
      first.copyToDevice(memory.address(), from.segment().address(), 8);
      end.record(first);
      second.waitFor(end);
      second.copyToHost(to.segment().address(), memory.address(), 8);
      second.synchronize();
      assertThat(to.segment().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(42);
      end.synchronize();
    }
    context.close();
  }

  @Test
  void memoryOutlivesTheContextsOpener() {
    Stream stream = new Stream(context);
    Scope scope = Scope.open("run", new CudaMemory(context, stream));
    scope.allocate("weights", DType.F32, 100);
    scope.allocate("empty", DType.F32, 0);
    stream.close();
    context.close();
    assertThat(Emulator.alive()).isEqualTo(401);
    assertThatThrownBy(() -> scope.allocate("late", DType.F32, 1))
        .isInstanceOf(IllegalStateException.class);
    scope.close();
  }

  @Test
  void memoryThatIsNotThere() {
    long mebi = 1L << 20;
    Emulator.configure("memory", 16 * mebi);
    try (Stream stream = new Stream(context);
        Scope scope = Scope.open("run", new CudaMemory(context, stream));
        Scope batch = scope.child("batch")) {
      for (int i = 1; i <= 6; i++) {
        scope.allocate("group" + i + "/x", DType.U8, i * mebi / 2);
      }
      assertThatThrownBy(() -> batch.allocate("activations/x", DType.F32, 2 * mebi))
          .isInstanceOf(OutOfDeviceMemory.class)
          .hasMessage(
              """
              cuda:0 has no 8.0 MiB for activations/x: 5.5 MiB of its 16.0 MiB are free. This run holds
                group6                        3.0 MiB
                group5                        2.5 MiB
                group4                        2.0 MiB
                group3                        1.5 MiB
                group2                        1.0 MiB
                others                        0.5 MiB
                total                        10.5 MiB
              """);
      batch.allocate("activations/x", DType.F32, mebi);
      assertThat(scope.bytes()).isEqualTo(14 * mebi + mebi / 2);
    }
    context.close();
  }

  @Test
  void ptxThatIsNone() {
    assertThatThrownBy(() -> PtxModule.load(context, "moving", "what"))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("cuModuleLoadDataEx of moving.ptx gave CUDA_ERROR_INVALID_PTX (218")
        .hasMessageContaining(": no .version directive: this is not PTX. Update NVIDIA's driver");
    context.close();
  }

  @Test
  void aKernelThatIsNone() {
    try (PtxModule module = PtxModule.load(context, "probe", PTX)) {
      assertThat(module.function("probe_overrun").name()).isEqualTo("probe_overrun");
      assertThatThrownBy(() -> module.function("probe"))
          .isInstanceOf(CudaException.class)
          .hasMessageContaining("cuModuleGetFunction of probe gave CUDA_ERROR_NOT_FOUND (500");
    }
    context.close();
  }
}
