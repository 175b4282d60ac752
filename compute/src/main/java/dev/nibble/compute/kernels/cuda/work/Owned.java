package dev.nibble.compute.kernels.cuda.work;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Resources of one owner, given back together, the youngest first. */
final class Owned implements AutoCloseable {
  private final List<Runnable> owned = new ArrayList<>();

  /** Takes over a resource and the way to give it back. */
  <T> T add(T made, Consumer<? super T> giveBack) {
    owned.add(() -> giveBack.accept(made));
    return made;
  }

  /** Gives all back, whatever happens on the way; the first error is thrown, with the others. */
  @Override
  public void close() {
    RuntimeException error = null;
    for (Runnable giveBack : owned.reversed()) {
      try {
        giveBack.run();
      } catch (RuntimeException e) {
        if (error == null) {
          error = e;
        } else {
          error.addSuppressed(e);
        }
      }
    }
    owned.clear();
    if (error != null) {
      throw error;
    }
  }
}
