package dev.nibble.data.batching;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.rows.RowSource;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.samples.SampleOutcome;
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
          tokenise(chunk, samples).forEach(attempt -> attempt.enter(table));
          chunk.clear();
        }
      }
    }
    tokenise(chunk, samples).forEach(attempt -> attempt.enter(table));
    return new Shard(number, rows, samples, table);
  }

  /**
   * Makes samples of rows, in order. A task that threw would end this method while others are still
   * inside the tokenizer, which its owner then closes; so each hands over what went wrong, and all
   * have ended before the first fault is thrown.
   */
  private static List<Attempt> tokenise(List<Row> chunk, SampleMaker samples) {
    return chunk.parallelStream().map(row -> Attempt.at(row, samples)).toList();
  }

  /** The outcome of one row, or what went wrong with it. */
  private sealed interface Attempt {
    static Attempt at(Row row, SampleMaker samples) {
      try {
        return new Made(samples.make(row), row);
      } catch (InvalidDataset e) {
        return new Bad(e);
      } catch (RuntimeException e) {
        return new Failed(e);
      } catch (Error e) { // a StackOverflowError, say
        return new Broken(e);
      }
    }

    /** Enters the outcome into a table, or throws what no row is to blame for. */
    void enter(SampleTable table);

    record Made(SampleOutcome outcome, Row row) implements Attempt {
      @Override
      public void enter(SampleTable table) {
        table.add(outcome, row);
      }
    }

    record Bad(InvalidDataset problem) implements Attempt {
      @Override
      public void enter(SampleTable table) {
        table.add(problem);
      }
    }

    record Failed(RuntimeException fault) implements Attempt {
      @Override
      public void enter(SampleTable table) {
        throw fault;
      }
    }

    record Broken(Error fault) implements Attempt {
      @Override
      public void enter(SampleTable table) {
        throw fault;
      }
    }
  }
}
