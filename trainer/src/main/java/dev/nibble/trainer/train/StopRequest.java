package dev.nibble.trainer.train;

import java.util.concurrent.atomic.AtomicBoolean;

/** A request, from any thread, that the training loop end after the running step. */
public final class StopRequest {
  private final AtomicBoolean requested = new AtomicBoolean();

  /**
   * Asks to stop.
   *
   * @return whether this was the first request
   */
  public boolean request() {
    return requested.compareAndSet(false, true);
  }

  /** Whether somebody asked. */
  public boolean isRequested() {
    return requested.get();
  }
}
