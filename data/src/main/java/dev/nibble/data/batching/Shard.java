package dev.nibble.data.batching;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.rows.RowSource;
import dev.nibble.data.samples.Outcome;
import dev.nibble.data.samples.SampleMaker;
import java.util.ArrayList;
import java.util.List;

/**
 * A part of the data that is read from front to back.
 *
 * @param number of the shard, in the order of the datasets
 * @param rows its rows
 * @param samples makes samples of them
 * @param table length and outcome of each row
 */
record Shard(int number, RowSource rows, SampleMaker samples, SampleTable table) {
  /** Rows tokenised together, on all cores. */
  private static final int CHUNK = 2048;

  /** Reads and tokenises all rows once. */
  static Shard scan(int number, RowSource rows, SampleMaker samples) {
    SampleTable table = new SampleTable();
    List<Row> chunk = new ArrayList<>(CHUNK);
    try (RowCursor cursor = rows.open()) {
      while (cursor.advance()) {
        chunk.add(cursor.row());
        if (chunk.size() == CHUNK) {
          tokenise(chunk, samples).forEach(table::add);
          chunk.clear();
        }
      }
    }
    tokenise(chunk, samples).forEach(table::add);
    return new Shard(number, rows, samples, table);
  }

  private static List<Outcome> tokenise(List<Row> chunk, SampleMaker samples) {
    try {
      return chunk.parallelStream().map(samples::make).toList();
    } catch (InvalidDataset e) {
      // Of several bad rows, the first is to be named.
      return chunk.stream().map(samples::make).toList();
    }
  }
}
