package dev.nibble.compute.kernels.cuda.driver;

/** A queue of work of the device, done in order. */
public final class Stream extends Handle {
  private final boolean lent;

  // CU_STREAM_NON_BLOCKING: apart from the default stream, on which other libraries may work.
  private static final int NON_BLOCKING = 1;

  /** A new queue. */
  public Stream(Context context) {
    super(
        context,
        context.make(
            "cuStreamCreate",
            out -> (int) context.cuda().streamCreate.invokeExact(out, NON_BLOCKING)));
    lent = false;
  }

  private Stream(Context context, long stream) {
    super(context, stream);
    lent = true;
    context.retain();
  }

  /** The queue of another library, a CUstream of this context; it stays when this is closed. */
  public static Stream lent(Context context, long stream) {
    return new Stream(context, stream);
  }

  /** The driver's CUstream, for libraries that put work on it. */
  public long address() {
    return handle();
  }

  /** Waits until all work so far is done. */
  public void synchronize() {
    long stream = handle();
    context()
        .run(
            "cuStreamSynchronize",
            () -> (int) context().cuda().streamSynchronize.invokeExact(stream));
  }

  /**
   * Waits until all work so far is done.
   *
   * @param operation what came last, which an error then names
   */
  public void synchronizeAfter(String operation) {
    long stream = handle();
    context().run(operation, () -> (int) context().cuda().streamSynchronize.invokeExact(stream));
  }

  /** Makes the stream's context the calling thread's, as libraries ask for. */
  public void makeContextCurrent() {
    context().makeCurrent();
  }

  /** Work from here on waits for what an event has recorded. */
  public void waitFor(Event event) {
    long stream = handle();
    long e = event.handle();
    context()
        .run(
            "cuStreamWaitEvent",
            () -> (int) context().cuda().streamWaitEvent.invokeExact(stream, e, 0));
  }

  /**
   * Copies from pinned memory of the host to the device. It must stay as it is until the copy is
   * done.
   */
  public void copyToDevice(long to, long from, long bytes) {
    long stream = handle();
    context()
        .run(
            "cuMemcpyHtoDAsync",
            () -> (int) context().cuda().memcpyHtoDAsync.invokeExact(to, from, bytes, stream));
  }

  /** Copies from the device to the host; the bytes are there after {@link #synchronize}. */
  public void copyToHost(long to, long from, long bytes) {
    long stream = handle();
    context()
        .run(
            "cuMemcpyDtoHAsync",
            () -> (int) context().cuda().memcpyDtoHAsync.invokeExact(to, from, bytes, stream));
  }

  /** Copies on the device. */
  public void copyOnDevice(long to, long from, long bytes) {
    long stream = handle();
    context()
        .run(
            "cuMemcpyDtoDAsync",
            () -> (int) context().cuda().memcpyDtoDAsync.invokeExact(to, from, bytes, stream));
  }

  /** Sets bytes of the device. */
  public void fill(long to, byte value, long bytes) {
    long stream = handle();
    context()
        .run(
            "cuMemsetD8Async",
            () -> (int) context().cuda().memsetD8Async.invokeExact(to, value, bytes, stream));
  }

  @Override
  String what() {
    return "a stream";
  }

  @Override
  void giveBack(long stream) {
    if (lent) {
      context().release();
      return;
    }
    context()
        .giveBack(
            "cuStreamDestroy", () -> (int) context().cuda().streamDestroy.invokeExact(stream));
  }
}
