package dev.nibble.compute.kernels.cuda.driver;

/** A mark in a stream, which other streams and the host can wait for. */
public final class Event extends Handle {

  /** A new event, not recorded yet. */
  public Event(Context context) {
    super(
        context,
        context.make("cuEventCreate", out -> (int) context.cuda().eventCreate.invokeExact(out, 0)));
  }

  /** Marks the end of a stream's work so far. */
  public void record(Stream stream) {
    long event = handle();
    long s = stream.handle();
    context().run("cuEventRecord", () -> (int) context().cuda().eventRecord.invokeExact(event, s));
  }

  /** Waits until the marked work is done. */
  public void synchronize() {
    long event = handle();
    context()
        .run(
            "cuEventSynchronize", () -> (int) context().cuda().eventSynchronize.invokeExact(event));
  }

  @Override
  String what() {
    return "an event";
  }

  @Override
  void giveBack(long event) {
    context()
        .giveBack("cuEventDestroy", () -> (int) context().cuda().eventDestroy.invokeExact(event));
  }
}
