package dev.nibble.api.wiring;

import dev.nibble.api.event.Event;
import dev.nibble.data.rows.Projection;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.rows.RowSource;
import java.util.List;
import java.util.function.Consumer;

/** The count of rows that the first pass over a run's data has read, told every thousand rows. */
final class ReadingProgress {
  private static final int BETWEEN = 1000;

  private final Consumer<Event> listener;
  private long rows;
  private boolean ended;

  ReadingProgress(Consumer<Event> listener) {
    this.listener = listener;
    listener.accept(new Event.Working(Event.Activity.READING_ROWS));
  }

  /** The same rows, counted until the first pass ends. */
  RowSource of(RowSource source) {
    return new Counted(source);
  }

  /** Later passes are not counted. */
  synchronized void end() {
    ended = true;
  }

  private synchronized void advanced() {
    if (!ended && ++rows % BETWEEN == 0) {
      listener.accept(new Event.Working(Event.Activity.READING_ROWS, rows, 0));
    }
  }

  private final class Counted implements RowSource {
    private final RowSource source;

    Counted(RowSource source) {
      this.source = source;
    }

    @Override
    public RowCursor open() {
      RowCursor cursor = source.open();
      return new RowCursor() {
        @Override
        public boolean advance() {
          boolean there = cursor.advance();
          if (there) {
            advanced();
          }
          return there;
        }

        @Override
        public Row row() {
          return cursor.row();
        }

        @Override
        public void close() {
          cursor.close();
        }
      };
    }

    @Override
    public String describe() {
      return source.describe();
    }

    @Override
    public List<String> columns() {
      return source.columns();
    }

    @Override
    public RowSource only(Projection columns) {
      return new Counted(source.only(columns));
    }

    @Override
    public List<RowSource> shards() {
      List<RowSource> shards = source.shards();
      return shards.size() == 1
          ? List.of(this)
          : shards.stream().<RowSource>map(Counted::new).toList();
    }
  }
}
