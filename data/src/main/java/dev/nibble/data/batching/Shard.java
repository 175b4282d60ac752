package dev.nibble.data.batching;

import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.rows.RowSource;
import dev.nibble.data.samples.SampleMaker;

/**
 * A part of the data that is read from front to back.
 *
 * @param number of the shard, in the order of the recipe
 * @param rows its rows
 * @param samples makes samples of them
 * @param table what became of each
 */
record Shard(int number, RowSource rows, SampleMaker samples, SampleTable table) {
  /** Reads and tokenises all rows once. */
  static Shard scan(int number, RowSource rows, SampleMaker samples) {
    SampleTable table = new SampleTable();
    try (RowCursor cursor = rows.open()) {
      while (cursor.advance()) {
        table.add(samples.make(cursor.row()));
      }
    }
    return new Shard(number, rows, samples, table);
  }
}
