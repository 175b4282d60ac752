package dev.nibble.compute.kernels.cuda.driver;

import java.lang.foreign.MemorySegment;

/** Page-locked memory of the host, which the device copies asynchronously. */
public final class PinnedMemory extends Handle {
  private final long bytes;

  /** Allocates. */
  public PinnedMemory(Context context, long bytes) {
    super(
        context,
        context.make(
            "cuMemHostAlloc of " + bytes + " bytes",
            out -> (int) context.cuda().memHostAlloc.invokeExact(out, bytes, 0)));
    this.bytes = bytes;
  }

  /** The bytes; not to be used after {@link #close}. */
  @SuppressWarnings("restricted")
  public MemorySegment segment() {
    return MemorySegment.ofAddress(handle()).reinterpret(bytes);
  }

  @Override
  String what() {
    return "pinned memory of " + bytes + " bytes";
  }

  @Override
  void giveBack(long address) {
    context()
        .giveBack("cuMemFreeHost", () -> (int) context().cuda().memFreeHost.invokeExact(address));
  }
}
