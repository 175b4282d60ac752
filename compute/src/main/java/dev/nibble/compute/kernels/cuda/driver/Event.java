package dev.nibble.compute.kernels.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A place in a stream: other streams and the host can wait for it, and it knows when it was. */
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

  /** Milliseconds on the device from another event to this one; both have happened. */
  public float millisecondsSince(Event start) {
    long from = start.handle();
    long to = handle();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT);
      context()
          .run(
              "cuEventElapsedTime",
              () -> (int) context().cuda().eventElapsedTime.invokeExact(out, from, to));
      return out.get(ValueLayout.JAVA_FLOAT, 0);
    }
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
