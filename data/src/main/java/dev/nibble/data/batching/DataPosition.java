package dev.nibble.data.batching;

/**
 * Position in a stream of batches, from which it can be continued.
 *
 * @param epoch passes over the data begun before the present one, from 0
 * @param batchesInEpoch batches delivered of the present one
 */
public record DataPosition(long epoch, long batchesInEpoch) {
  /** Before the first batch. */
  public static final DataPosition START = new DataPosition(0, 0);

  public DataPosition {
    if (epoch < 0 || batchesInEpoch < 0) {
      throw new IllegalArgumentException("negative position " + epoch + ", " + batchesInEpoch);
    }
  }
}
