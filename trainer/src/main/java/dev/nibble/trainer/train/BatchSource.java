package dev.nibble.trainer.train;

import dev.nibble.data.Batch;

/**
 * Micro-batches without end: epoch after epoch, each in an order of its own that depends on the
 * seed only.
 */
public interface BatchSource {

  /**
   * A place in the data.
   *
   * @param epoch complete passes over the data
   * @param batches micro-batches taken in the epoch after them
   */
  record Position(long epoch, long batches) {
    /** Before the first batch. */
    public static final Position START = new Position(0, 0);
  }

  /** The next micro-batch. */
  Batch next();

  /** Whether the last batch that {@link #next} gave is the last of its epoch. */
  boolean endsEpoch();

  /** The place after the last batch that {@link #next} gave. */
  Position position();

  /** Goes to a place, so that {@link #next} gives the batch that followed it. */
  void skipTo(Position position);

  /** Passes over the data so far, with the fraction of the one under way. */
  double epoch();
}
