package dev.nibble.compute.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Activations;
import dev.nibble.compute.kernels.KernelOptions.Cublas;
import dev.nibble.compute.kernels.KernelOptions.DeviceMemory;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.cuda.driver.Context;
import dev.nibble.compute.kernels.cuda.driver.Cuda;
import dev.nibble.compute.kernels.cuda.driver.CudaDevice;
import dev.nibble.compute.kernels.cuda.driver.CudaMemory;
import dev.nibble.compute.kernels.cuda.driver.Stream;
import dev.nibble.compute.kernels.cuda.work.CudaHost;
import dev.nibble.compute.kernels.cuda.work.Gpu;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Memory and a stream that another library lends. */
@Tag("cuda")
class CudaHostTest {

  /** As ND4J is: in the primary context, with a stream of its own. */
  private record Lender(Context context, Stream stream) implements CudaHost {
    @Override
    public String name() {
      return "lender";
    }

    @Override
    public Optional<String> unavailableBecause(CudaDevice device) {
      return Optional.empty();
    }

    @Override
    public Place open(CudaDevice device) {
      return new Place(new CudaMemory(context, stream), stream.address());
    }
  }

  @Test
  void kernelsRunInItsMemoryAndOnItsStreamWhichStays() {
    Cuda cuda = Cuda.load(Emulator.library());
    cuda.initialize();
    long before = Emulator.alive();
    try (Context context = Context.of(cuda, CudaDevice.of(cuda, 0));
        Stream stream = new Stream(context)) {
      CudaHost lender = new Lender(context, stream);
      Tensor host = Tensor.onHost("host", DType.F32, Shape.of(3), Arena.ofAuto().allocate(12));
      try (Kernels kernels =
              new CudaKernels(
                  Gpu.open(cuda, 0, KernelOptions.Debug.NONE, Optional.of(lender)),
                  DType.F32,
                  Optional.empty());
          Scope scope = Scope.open("test", kernels.memory())) {
        Tensor x = scope.allocate("x", DType.F32, 3);
        kernels.moving().fill(x, 2);
        kernels.pointwise().scale(x, 1.5);
        kernels.moving().copy(host, x);
      }
      assertThat(host.toFloats()).containsExactly(3, 3, 3);
      stream.synchronize();
    }
    assertThat(Emulator.alive()).isEqualTo(before);
  }

  @Test
  void aLibraryThatIsAskedForAndCannotIsAnError() {
    String library = Emulator.library();
    KernelOptions nd4j =
        new KernelOptions(
            0,
            Activations.F32,
            OptionalInt.empty(),
            KernelOptions.Debug.NONE,
            new Cublas.None(),
            DeviceMemory.ND4J);
    Emulator.configure("capability", 90);
    try {
      assertThatThrownBy(() -> new CudaKernelSet(() -> Cuda.load(library)).open(nd4j))
          .isInstanceOf(KernelUnavailable.class)
          .hasMessageStartingWith("device memory from nd4j: ");
    } finally {
      Emulator.configure("capability", 86);
    }
  }
}
