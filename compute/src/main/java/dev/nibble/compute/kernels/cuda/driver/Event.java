package dev.nibble.compute.kernels.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A mark in a stream, which other streams and the host can wait for. */
public final class Event extends Handle {

  private final MemorySegment milliseconds = Arena.ofAuto().allocate(ValueLayout.JAVA_FLOAT);

  // CU_EVENT_DISABLE_TIMING: cheaper for an event that only orders work.
  private static final int NO_TIMING = 2;

  private Event(Context context, int flags) {
    super(
        context,
        context.make(
            "cuEventCreate", out -> (int) context.cuda().eventCreate.invokeExact(out, flags)));
  }

  /** A new event that orders work, not recorded yet. */
  public static Event ordering(Context context) {
    return new Event(context, NO_TIMING);
  }

  /** A new event that {@link #secondsSince} reads, not recorded yet. */
  public static Event timing(Context context) {
    return new Event(context, 0);
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

  /** Seconds between two marks of timing events, both behind their streams' work. */
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
