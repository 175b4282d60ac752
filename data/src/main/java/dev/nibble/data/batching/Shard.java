package dev.nibble.data.batching;

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

  /**
   * The outcomes of rows, in order. A task that threw would end this method while others are still
   * inside the tokenizer, which its owner then closes; so each hands over what went wrong, and all
   * have ended before the first problem is thrown.
   */
  private static List<Outcome> tokenise(List<Row> chunk, SampleMaker samples) {
    List<Attempt> attempts = chunk.parallelStream().map(row -> Attempt.at(row, samples)).toList();
    return attempts.stream().map(Attempt::outcome).toList();
  }

  /** The outcome of one row, or what went wrong with it. */
  private sealed interface Attempt {
    static Attempt at(Row row, SampleMaker samples) {
      try {
        return new Made(samples.make(row));
      } catch (RuntimeException e) {
        return new Failed(e);
      } catch (Error e) { // a StackOverflowError, say
        return new Broken(e);
      }
    }

    Outcome outcome();

    record Made(Outcome outcome) implements Attempt {}

    record Failed(RuntimeException problem) implements Attempt {
      @Override
      public Outcome outcome() {
        throw problem;
      }
    }

    record Broken(Error problem) implements Attempt {
      @Override
      public Outcome outcome() {
        throw problem;
      }
    }
  }
}
