package dev.nibble.compute.kernels.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * A device as the driver describes it.
 *
 * @param index its number, from 0
 * @param handle what the driver calls it
 * @param name for example {@code NVIDIA GeForce RTX 4090}
 * @param busId its place, which {@code nvidia-smi} shows too: {@code 0000:01:00.0}
 * @param major compute capability, before the point
 * @param minor compute capability, after the point
 * @param memory bytes
 * @param multiprocessors how many it has
 * @param sharedPerBlock bytes of shared memory that a block may ask for
 */
public record CudaDevice(
    int index,
    int handle,
    String name,
    String busId,
    int major,
    int minor,
    long memory,
    int multiprocessors,
    int sharedPerBlock) {
  // Numbers of CUdevice_attribute.
  private static final int MULTIPROCESSORS = 16;
  private static final int CAPABILITY_MAJOR = 75;
  private static final int CAPABILITY_MINOR = 76;
  private static final int SHARED_PER_BLOCK_OPTIN = 97;

  /**
   * Asks the driver, which was initialised.
   *
   * @throws CudaException when there is no such device
   */
  public static CudaDevice of(Cuda cuda, int index) {
    int device = cuda.getInt("cuDeviceGet", out -> (int) cuda.deviceGet.invokeExact(out, index));
    return new CudaDevice(
        index,
        device,
        text(cuda, "cuDeviceGetName", cuda.deviceGetName, device),
        text(cuda, "cuDeviceGetPCIBusId", cuda.deviceGetPciBusId, device),
        attribute(cuda, device, CAPABILITY_MAJOR),
        attribute(cuda, device, CAPABILITY_MINOR),
        cuda.getLong("cuDeviceTotalMem", out -> (int) cuda.deviceTotalMem.invokeExact(out, device)),
        attribute(cuda, device, MULTIPROCESSORS),
        attribute(cuda, device, SHARED_PER_BLOCK_OPTIN));
  }

  private static String text(Cuda cuda, String operation, MethodHandle getter, int device) {
    int length = 256;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(length);
      cuda.call.run(operation, () -> (int) getter.invokeExact(out, length, device));
      return out.getString(0);
    }
  }

  private static int attribute(Cuda cuda, int device, int attribute) {
    return cuda.getInt(
        "cuDeviceGetAttribute",
        out -> (int) cuda.deviceGetAttribute.invokeExact(out, attribute, device));
  }

  /** For example {@code 8.6}. */
  public String capability() {
    return major + "." + minor;
  }
}
