package dev.nibble.data.batching;

import dev.nibble.data.Batch;
import dev.nibble.data.rows.InvalidDataset;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * The micro-batches of a run, the same for the same data, plan and position. Each epoch holds every
 * sample once. Owns the open file; not safe for use by several threads.
 */
public final class BatchStream implements Iterator<Batch>, AutoCloseable {
  private final Subset subset;
  private final BatchPlan plan;
  private final long epochs;
  private long epoch;
  private long delivered;
  private long samples;
  private SampleCursor cursor;
  private Iterator<List<PlannedSample>> groups;

  BatchStream(Subset subset, BatchPlan plan, long epochs) {
    this.subset = subset;
    this.plan = plan;
    this.epochs = epochs;
    this.cursor = subset.cursor(plan, 0);
    this.groups = subset.groups(plan, 0, cursor);
  }

  /** Whether a batch follows; always, when the number of epochs is not limited. */
  @Override
  public boolean hasNext() {
    return epoch < epochs && (groups.hasNext() || epoch + 1 < epochs);
  }

  /** The next batch. */
  @Override
  public Batch next() {
    List<PlannedSample> group = nextGroup();
    return Batch.of(group.stream().map(PlannedSample::make).toList())
        .from(group.stream().map(sample -> sample.row().place()).toList());
  }

  private List<PlannedSample> nextGroup() {
    if (!hasNext()) {
      throw new NoSuchElementException("the " + epochs + " epochs are over");
    }
    if (!groups.hasNext()) {
      start(epoch + 1);
    }
    return take();
  }

  private List<PlannedSample> take() {
    List<PlannedSample> group = groups.next();
    delivered++;
    samples += group.size();
    return group;
  }

  /** Whether the latest batch was the last of its epoch. */
  public boolean endsEpoch() {
    return !groups.hasNext();
  }

  /** The epoch of the latest batch, from 0. */
  public long epoch() {
    return epoch;
  }

  /** The samples of that epoch up to the latest batch. */
  public long samplesInEpoch() {
    return samples;
  }

  /** The place after the latest batch. */
  public DataPosition position() {
    return new DataPosition(epoch, delivered);
  }

  /**
   * Goes to a place, so that the next batch is the one that followed there. Reads the rows before
   * it again, without tokenising them.
   *
   * @throws InvalidDataset when the epoch has fewer batches, as with other data or another plan
   */
  public void skipTo(DataPosition position) {
    start(position.epoch());
    while (delivered < position.batchesInEpoch()) {
      if (!groups.hasNext()) {
        throw new InvalidDataset(
            "epoch %d has %d batches, so there is no place after batch %d; the data or the batch settings are not those of the run to resume"
                .formatted(position.epoch(), delivered, position.batchesInEpoch()));
      }
      take();
    }
  }

  private void start(long newEpoch) {
    cursor.close();
    epoch = newEpoch;
    delivered = 0;
    samples = 0;
    cursor = subset.cursor(plan, newEpoch);
    groups = subset.groups(plan, newEpoch, cursor);
  }

  @Override
  public void close() {
    cursor.close();
  }
}
