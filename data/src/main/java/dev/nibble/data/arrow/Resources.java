package dev.nibble.data.arrow;

import java.util.ArrayDeque;
import java.util.Deque;

/** Native resources that are closed together, the newest first, once. */
final class Resources implements AutoCloseable {
  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  <T extends AutoCloseable> T add(T resource) {
    open.push(resource);
    return resource;
  }

  /**
   * Closes all because of an error, which stays what it is: of what was half made, not all is given
   * back.
   */
  <E extends RuntimeException> E closedBy(E error) {
    try {
      close();
    } catch (IllegalStateException e) {
      error.addSuppressed(e);
    }
    return error;
  }

  @Override
  public void close() {
    RuntimeException failure = null;
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        if (failure == null) {
          failure = new IllegalStateException("Arrow memory was not given back", e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
