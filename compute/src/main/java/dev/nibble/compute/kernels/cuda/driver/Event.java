package dev.nibble.compute.kernels.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A mark in a stream, which other streams and the host can wait for. */
public final class Event extends Handle {

  private final MemorySegment milliseconds = Arena.ofAuto().allocate(ValueLayout.JAVA_FLOAT);

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

  /** Seconds between two marks that are both behind their streams' work. */
  public double secondsSince(Event earlier) {
    long end = handle();
    long start = earlier.handle();
    context()
        .run(
            "cuEventElapsedTime",
            () -> (int) context().cuda().eventElapsedTime.invokeExact(milliseconds, start, end));
    return milliseconds.get(ValueLayout.JAVA_FLOAT, 0) / 1e3;
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
