package dev.nibble.data.batching;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Cursor over the samples of a subset, each read from the shard whose turn it is. */
final class SampleCursor implements Iterator<PlannedSample>, AutoCloseable {
  /** A shard under way. */
  private static final class Reading {
    private final RowCursor rows;
    private int row;

    private Reading(RowCursor rows) {
      this.rows = rows;
    }
  }

  private final ShardOrder order;
  private final Subset subset;
  private final Map<Integer, Reading> open = new HashMap<>(); // by shard
  private @Nullable PlannedSample ahead;

  SampleCursor(ShardOrder order, Subset subset) {
    this.order = order;
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
    while (order.hasNext()) {
      Shard shard = order.next();
      Reading reading = open.computeIfAbsent(shard.number(), n -> new Reading(shard.rows().open()));
      check(shard, reading.rows.advance());
      int number = reading.row++;
      Row row = reading.rows.row();
      if (reading.row == shard.table().rows()) {
        check(shard, !reading.rows.advance());
        open.remove(shard.number());
        reading.rows.close();
      }
      if (subset.wants(shard, number)) {
        return new PlannedSample(shard.table().length(number), row, shard.samples());
      }
    }
    return null;
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
    open.values().forEach(reading -> reading.rows.close());
    open.clear();
  }
}
