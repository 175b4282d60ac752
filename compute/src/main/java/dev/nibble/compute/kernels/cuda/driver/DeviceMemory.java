package dev.nibble.compute.kernels.cuda.driver;

/** Memory of the device with undefined initial contents. */
public final class DeviceMemory extends Handle {
  private final long bytes;

  /**
   * Allocates.
   *
   * @throws CudaException with code 2 when the device has not that much
   */
  public DeviceMemory(Context context, long bytes) {
    super(
        context,
        context.make(
            "cuMemAlloc of " + bytes + " bytes",
            out -> (int) context.cuda().memAlloc.invokeExact(out, bytes)));
    this.bytes = bytes;
  }

  /** Where it lies on the device. */
  public long address() {
    return handle();
  }

  @Override
  String what() {
    return "an allocation of " + bytes + " bytes";
  }

  /** Waits for all work first: some of it may use this memory. */
  @Override
  void giveBack(long address) {
    context()
        .giveBack(
            "cuMemFree",
            () -> {
              int late = (int) context().cuda().ctxSynchronize.invokeExact();
              int status = (int) context().cuda().memFree.invokeExact(address);
              return status != 0 ? status : late;
            });
  }
}
