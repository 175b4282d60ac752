package dev.nibble.data.batching;

/**
 * A seeded shuffle that streams: rows of several shards are mixed, and leave a buffer at random
 * places, to be replaced by the next row of the stream. Each epoch has its own order.
 *
 * @param seed of the order
 * @param buffer rows held; the larger, the better mixed
 */
public record Shuffle(long seed, int buffer) {
  /** A buffer for ordinary instruction rows. */
  public static final int DEFAULT_BUFFER = 10_000;

  public Shuffle {
    if (buffer < 1) {
      throw new IllegalArgumentException("the shuffle buffer must hold at least 1 row: " + buffer);
    }
  }

  /** A shuffle with the default buffer. */
  public static Shuffle seeded(long seed) {
    return new Shuffle(seed, DEFAULT_BUFFER);
  }
}
