package dev.nibble.compute.kernels.cpu.work;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A fixed thread pool that splits a range into chunks. The caller works too, as worker 0, and waits
 * only for chunks that another worker has begun, so that a descheduled worker does not delay it.
 * Chunks depend on the range and the number of threads only, and no two write to the same memory:
 * results do not depend on which worker takes which chunk. One caller at a time.
 */
public final class Workers implements AutoCloseable {
  /** Rounds of waiting before a worker parks: about as long as the gap between two kernels. */
  private static final int SPINS = 2000;

  /** The caller's sleep between two checks of the others' progress. */
  private static final long PAUSE_NANOS = 20_000;

  /** Works on items {@code from} to {@code to} (exclusive), with the scratch of {@code worker}. */
  public interface Task {
    void run(int worker, long from, long to);
  }

  private final Helper[] helpers;
  private volatile @Nullable Run current;
  private volatile boolean closed;

  /** Starts a pool of {@code threads}, the caller's included. */
  public Workers(int threads) {
    helpers = new Helper[threads - 1];
    for (int i = 0; i < helpers.length; i++) {
      helpers[i] = new Helper(i + 1);
      helpers[i].start();
    }
  }

  /** The number of threads, the caller's included. */
  public int threads() {
    return helpers.length + 1;
  }

  /** Splits into one chunk for each thread, none but the last smaller than {@code grain}. */
  public void split(long n, long grain, Task task) {
    run(n, Math.max(grain, (n + helpers.length) / threads()), task);
  }

  /** Hands out one item at a time, for items of unequal cost. */
  public void each(long n, Task task) {
    run(n, 1, task);
  }

  private void run(long n, long chunk, Task task) {
    if (n <= 0) {
      return;
    }
    if (n <= chunk || helpers.length == 0) {
      task.run(0, 0, n);
      return;
    }
    Run run = new Run(n, chunk, task);
    current = run;
    for (int i = 0; i < helpers.length && i + 1 < run.chunks; i++) {
      helpers[i].wake();
    }
    run.work(0);
    run.await();
    current = null;
    Throwable failure = run.failure.get();
    if (failure != null) {
      if (failure instanceof Error e) {
        throw e;
      }
      throw (RuntimeException) failure;
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Helper helper : helpers) {
      LockSupport.unpark(helper);
    }
  }

  /** One range being worked on. */
  private static final class Run {
    private final long n;
    private final long chunk;
    private final long chunks;
    private final Task task;
    private final AtomicLong next = new AtomicLong();
    private final AtomicLong done = new AtomicLong();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    Run(long n, long chunk, Task task) {
      this.n = n;
      this.chunk = chunk;
      this.chunks = (n + chunk - 1) / chunk;
      this.task = task;
    }

    void work(int worker) {
      for (long i = next.getAndIncrement(); i < chunks; i = next.getAndIncrement()) {
        try {
          task.run(worker, i * chunk, Math.min(n, (i + 1) * chunk));
        } catch (RuntimeException | Error e) {
          failure.compareAndSet(null, e);
        } finally {
          done.incrementAndGet();
        }
      }
    }

    void await() {
      for (int spins = 0; done.get() < chunks; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.parkNanos(PAUSE_NANOS);
        }
      }
    }
  }

  private final class Helper extends Thread {
    private final int worker;
    private volatile boolean parked;

    Helper(int worker) {
      super("nibble-cpu-" + worker);
      this.worker = worker;
      setDaemon(true);
    }

    void wake() {
      if (parked) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      Run last = null;
      while (!closed) {
        Run run = next(last);
        if (run != null) {
          run.work(worker);
          last = run;
        }
      }
    }

    /** The next range, or null when there is none after a while. */
    private @Nullable Run next(@Nullable Run last) {
      for (int spins = 0; spins < SPINS; spins++) {
        Run run = current;
        if (run != null && run != last) {
          return run;
        }
        Thread.onSpinWait();
      }
      parked = true;
      Run run = current;
      if ((run == null || run == last) && !closed) {
        LockSupport.park(this);
      }
      parked = false;
      return null;
    }
  }
}
