package dev.nibble.trainer.train;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** Asks the loop, from any thread, to end after the running step. */
public final class StopRequest {

  /** Why a run is asked to stop. */
  public enum Signal {
    /** Ctrl-C. */
    INT(2),
    /** SIGTERM, as {@code kill}, a container or a batch system sends it. */
    TERM(15);

    private final int number;

    Signal(int number) {
      this.number = number;
    }

    /** The number that POSIX gives it; a shell shows 128 more as the exit code. */
    public int number() {
      return number;
    }
  }

  private final AtomicReference<Optional<Signal>> signal = new AtomicReference<>(Optional.empty());

  /** Asks to stop. Only the first request counts. */
  public void request(Signal why) {
    signal.compareAndSet(Optional.empty(), Optional.of(why));
  }

  /** The request, if there was one. */
  public Optional<Signal> signal() {
    return signal.get();
  }
}
