package dev.nibble.compute.kernels.cuda.driver;

import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.OutOfDeviceMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The device's memory. A segment has length 0: Java sees no byte of it, only the address, and from
 * its scope whether it is still alive.
 */
public final class CudaMemory implements Memory {
  private final Context context;
  private final Stream stream;

  /** Memory that is zeroed in the order of a stream's work. */
  public CudaMemory(Context context, Stream stream) {
    this.context = context;
    this.stream = stream;
  }

  @Override
  public Device device() {
    return new Device.Cuda(context.device().index());
  }

  @Override
  public Optional<Space> space() {
    return Optional.of(context.space());
  }

  @Override
  @SuppressWarnings("restricted")
  public MemorySegment allocate(long bytes, Arena arena) {
    DeviceMemory memory = allocate(Math.max(bytes, 1)); // the driver has no empty allocations
    try {
      stream.fill(memory.address(), (byte) 0, Math.max(bytes, 1));
      return MemorySegment.ofAddress(memory.address())
          .reinterpret(arena, segment -> memory.close());
    } catch (RuntimeException e) {
      memory.close();
      throw e;
    }
  }

  private DeviceMemory allocate(long bytes) {
    try {
      return new DeviceMemory(context, bytes);
    } catch (CudaException e) {
      if (e.code() != CudaException.OUT_OF_MEMORY) {
        throw e;
      }
      Space info = context.space();
      throw new OutOfDeviceMemory(device(), bytes, info.free(), info.total(), e);
    }
  }
}
