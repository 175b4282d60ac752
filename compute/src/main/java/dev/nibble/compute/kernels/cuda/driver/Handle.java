package dev.nibble.compute.kernels.cuda.driver;

import java.util.concurrent.atomic.AtomicLong;

/** An object of the driver that a context made: released once, and not used afterwards. */
abstract sealed class Handle implements AutoCloseable
    permits DeviceMemory, Event, PinnedMemory, PtxModule, Stream {
  private final Context context;
  private final AtomicLong value;

  Handle(Context context, long value) {
    this.context = context;
    this.value = new AtomicLong(value);
  }

  final Context context() {
    return context;
  }

  /**
   * What the driver calls this.
   *
   * @throws IllegalStateException after {@link #close}
   */
  final long handle() {
    long v = value.get();
    if (v == 0) {
      throw new IllegalStateException(
          "%s of cuda:%d is closed".formatted(what(), context.device().index()));
    }
    return v;
  }

  /** In words, for errors. */
  abstract String what();

  /** Gives this back to the driver. */
  abstract void giveBack(long handle);

  /**
   * Gives this back.
   *
   * @throws IllegalStateException the second time
   */
  @Override
  public final void close() {
    long v = value.getAndSet(0);
    if (v == 0) {
      throw new IllegalStateException(
          "%s of cuda:%d is closed twice".formatted(what(), context.device().index()));
    }
    giveBack(v);
  }
}
