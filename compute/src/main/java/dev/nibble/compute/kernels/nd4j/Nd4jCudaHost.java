package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.cuda.driver.CudaDevice;
import dev.nibble.compute.kernels.cuda.work.CudaHost;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * ND4J-CUDA as the owner of device memory: each allocation is an INDArray of bytes, zeroed on the
 * stream on which ND4J runs its own operations, and that stream is lent.
 */
public final class Nd4jCudaHost implements CudaHost {
  @Override
  public String name() {
    return "nd4j";
  }

  @Override
  public Optional<String> unavailableBecause(CudaDevice device) {
    return Nd4jCuda.unavailableBecause(device);
  }

  @Override
  public Place open(CudaDevice device) {
    unavailableBecause(device).or(Nd4jBackend::notCudaBecause).ifPresent(this::refuse);
    if (!Nd4jBackend.isCuda()) {
      refuse("ND4J started with its CPU backend; is BACKEND_PRIORITY_CPU set?");
    }
    Nd4j.getAffinityManager().unsafeSetDevice(device.index());
    return new Place(new ArrayMemory(new Device.Cuda(device.index())), stream());
  }

  private void refuse(String reason) {
    throw new KernelUnavailable("ND4J cannot hold the GPU's memory: " + reason);
  }

  /** ND4J's stream of this thread; what ND4J gives is where its handle lies. */
  private static long stream() {
    NativeOps ops = NativeOpsHolder.getInstance().getDeviceNativeOps();
    Pointer at = ops.lcExecutionStream(ops.defaultLaunchContext());
    return readable(at.address()).get(ValueLayout.JAVA_LONG, 0);
  }

  @SuppressWarnings("restricted")
  private static MemorySegment readable(long address) {
    return MemorySegment.ofAddress(address).reinterpret(Long.BYTES);
  }

  /** Device memory in arrays of ND4J's. */
  private record ArrayMemory(Device device) implements Memory {
    @Override
    @SuppressWarnings("restricted")
    public MemorySegment allocate(long bytes, Arena arena) {
      INDArray array = array(Math.max(bytes, 1));
      try {
        array.assign(0);
        return MemorySegment.ofAddress(array.data().platformAddress())
            .reinterpret(arena, segment -> array.close());
      } catch (RuntimeException e) {
        array.close();
        throw e;
      }
    }

    private INDArray array(long bytes) {
      try {
        return Nd4j.createUninitializedDetached(DataType.UINT8, bytes);
      } catch (RuntimeException e) {
        // ND4J has no exception of its own for it.
        if (!String.valueOf(e.getMessage()).contains("llocation failed")) {
          throw e;
        }
        OutOfMemoryError error =
            new OutOfMemoryError("%s has not %d bytes more for ND4J".formatted(device, bytes));
        error.initCause(e);
        throw error;
      }
    }
  }
}
