package dev.nibble.compute.kernels.cuda.driver;

import java.lang.foreign.MemorySegment;

/** A kernel that can be launched, as long as its module is open. */
public final class DeviceFunction {
  // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
  private static final int MAX_DYNAMIC_SHARED = 8;
  // What a launch may ask for without that attribute.
  private static final int DEFAULT_SHARED = 48 << 10;

  private final Context context;
  private final String name;
  private final long handle;
  private int allowedShared = DEFAULT_SHARED;

  DeviceFunction(Context context, String name, long handle) {
    this.context = context;
    this.name = name;
    this.handle = handle;
  }

  /** Its name in the PTX. */
  public String name() {
    return name;
  }

  /**
   * Puts a launch on a stream. Allocates nothing.
   *
   * @param threads of a block, which is one-dimensional
   * @param shared bytes of dynamic shared memory
   * @param parameters addresses of the arguments' values
   * @return the driver's status: the caller knows the arguments, see {@link #failure}
   */
  public int launch(
      Stream stream, int x, int y, int z, int threads, int shared, MemorySegment parameters) {
    context.makeCurrent();
    long queue = stream.handle();
    try {
      if (shared > allowedShared) {
        int status =
            (int) context.cuda().funcSetAttribute.invokeExact(handle, MAX_DYNAMIC_SHARED, shared);
        if (status != 0) {
          return status;
        }
        allowedShared = shared;
      }
      return (int)
          context
              .cuda()
              .launchKernel
              .invokeExact(
                  handle, x, y, z, threads, 1, 1, shared, queue, parameters, MemorySegment.NULL);
    } catch (Throwable e) {
      throw CudaCall.failed("cuLaunchKernel", e);
    }
  }

  /** What a status that {@link #launch} gave becomes. */
  public CudaException failure(int status, String launch) {
    return context.refused("cuLaunchKernel of " + launch, status, "");
  }
}
