package dev.nibble.api.faults;

import java.io.IOException;

/** What happens to the operations that change files, from a chosen one on. */
public interface Fault {

  /** The process in which it happened is gone; nothing that it does reaches its files any more. */
  final class Killed extends Error {
    private static final long serialVersionUID = 1L;

    Killed() {
      super("killed");
    }
  }

  /** Kinds of operations. */
  enum Operation {
    /** Takes room. */
    WRITE,
    /** Takes a name. */
    CREATE,
    /** Frees room, renames, or waits for the disk. */
    OTHER
  }

  /**
   * Called before an operation.
   *
   * @param number its number, counted from 0
   * @param operation what it does
   * @throws IOException as the system would
   */
  void at(int number, Operation operation) throws IOException;

  /** Called before a read. */
  default void atRead() {}

  /** No fault. */
  static Fault none() {
    return (number, operation) -> {};
  }

  /** The process is killed at an operation, of which a write may be half done. */
  static Fault killedAt(int fatal) {
    return new Fault() {
      private boolean dead;

      @Override
      public void at(int number, Operation operation) {
        dead |= number >= fatal;
        atRead();
      }

      @Override
      public void atRead() {
        if (dead) {
          throw new Killed();
        }
      }
    };
  }

  /** The disk is full from an operation on. */
  static Fault fullFrom(int first) {
    return (number, operation) -> {
      if (number >= first && operation != Operation.OTHER) {
        throw new IOException("No space left on device");
      }
    };
  }

  /** One operation fails. */
  static Fault errorAt(int broken) {
    return (number, operation) -> {
      if (number == broken) {
        throw new IOException("Input/output error");
      }
    };
  }
}
