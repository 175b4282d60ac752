package dev.nibble.compute.kernels.cuda.work;

import dev.nibble.compute.kernels.KernelProfile;
import dev.nibble.compute.kernels.KernelTimes;
import dev.nibble.compute.kernels.KernelTimes.KernelTime;
import dev.nibble.compute.kernels.cuda.driver.Context;
import dev.nibble.compute.kernels.cuda.driver.Event;
import dev.nibble.compute.kernels.cuda.driver.Stream;

/**
 * A clock of what runs on a stream: events before and after each launch, which are read when there
 * are no more of them, and at the end.
 */
final class LaunchClock implements KernelProfile, AutoCloseable {
  private static final int LAUNCHES = 2048;

  private final Owned owned = new Owned();
  private final Stream stream;
  private final Event[] begins = new Event[LAUNCHES];
  private final Event[] ends = new Event[LAUNCHES];
  private final String[] names = new String[LAUNCHES];
  private final double[] bytes = new double[LAUNCHES];
  private final double[] operations = new double[LAUNCHES];
  private final KernelTimes.Sum sum = new KernelTimes.Sum();
  private int count;
  private boolean on;

  LaunchClock(Context context, Stream stream) {
    this.stream = stream;
    try {
      for (int i = 0; i < LAUNCHES; i++) {
        begins[i] = owned.add(Event.timing(context), Event::close);
        ends[i] = owned.add(Event.timing(context), Event::close);
      }
    } catch (RuntimeException e) {
      owned.close();
      throw e;
    }
  }

  boolean isOn() {
    return on;
  }

  @Override
  public void start() {
    stream.synchronize();
    sum.take();
    count = 0;
    on = true;
  }

  @Override
  public KernelTimes stop() {
    read();
    on = false;
    return sum.take();
  }

  /** A launch comes next. */
  void begin() {
    if (count == LAUNCHES) {
      read();
    }
    begins[count].record(stream);
  }

  /** The launch is on the stream. */
  void end(String name, double movedBytes, double matrixOperations) {
    ends[count].record(stream);
    names[count] = name;
    bytes[count] = movedBytes;
    operations[count] = matrixOperations;
    count++;
  }

  /** Waits for what was launched. The gap that this makes is not counted. */
  private void read() {
    if (count == 0) {
      return;
    }
    ends[count - 1].synchronize();
    for (int i = 0; i < count; i++) {
      sum.add(
          new KernelTime(names[i], 1, ends[i].secondsSince(begins[i]), bytes[i], operations[i]));
      if (i > 0) {
        sum.addGap(begins[i].secondsSince(ends[i - 1]));
      }
    }
    count = 0;
  }

  @Override
  public void close() {
    owned.close();
  }
}
