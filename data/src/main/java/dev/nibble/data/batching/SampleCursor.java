package dev.nibble.data.batching;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.RowCursor;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Cursor over the samples of a subset, shard by shard; at most one file is open. */
final class SampleCursor implements Iterator<PlannedSample>, AutoCloseable {
  private final Iterator<Shard> shards;
  private final Subset subset;
  private @Nullable Shard shard;
  private @Nullable RowCursor rows;
  private int row;
  private @Nullable PlannedSample ahead;

  SampleCursor(List<Shard> order, Subset subset) {
    this.shards = order.iterator();
    this.subset = subset;
  }

  @Override
  public boolean hasNext() {
    if (ahead == null) {
      ahead = read();
    }
    return ahead != null;
  }

  @Override
  public PlannedSample next() {
    PlannedSample sample = ahead == null ? read() : ahead;
    ahead = null;
    if (sample == null) {
      throw new NoSuchElementException();
    }
    return sample;
  }

  private @Nullable PlannedSample read() {
    while (true) {
      if (rows == null || shard == null) {
        if (!shards.hasNext()) {
          return null;
        }
        shard = shards.next();
        rows = shard.rows().open();
        row = 0;
      }
      int known = shard.table().rows();
      if (!rows.advance()) {
        check(shard, row == known);
        close();
        continue;
      }
      check(shard, row < known);
      int number = row++;
      if (subset.wants(shard, number)) {
        return new PlannedSample(shard.table().length(number), rows.row(), shard.samples());
      }
    }
  }

  private static void check(Shard shard, boolean sameRows) {
    if (!sameRows) {
      throw new InvalidDataset(
          shard.rows().describe()
              + ": the number of rows changed while the data were in use. Leave the files alone during a run, and"
              + " start again.");
    }
  }

  @Override
  public void close() {
    if (rows != null) {
      rows.close();
      rows = null;
    }
  }
}
