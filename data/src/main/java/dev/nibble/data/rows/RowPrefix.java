package dev.nibble.data.rows;

import java.util.List;

/**
 * The first rows of a source.
 *
 * @param source the source of the rows
 * @param rows the most rows, at least one
 */
public record RowPrefix(RowSource source, long rows) implements RowSource {
  public RowPrefix {
    if (rows < 1) {
      throw new IllegalArgumentException("the first " + rows + " rows of " + source.describe());
    }
  }

  @Override
  public String describe() {
    return "the first " + rows + " rows of " + source.describe();
  }

  @Override
  public List<String> columns() {
    return source.columns();
  }

  @Override
  public RowSource only(Projection columns) {
    return new RowPrefix(source.only(columns), rows);
  }

  @Override
  public RowCursor open() {
    RowCursor cursor = source.open();
    return new RowCursor() {
      private long seen;

      @Override
      public boolean advance() {
        return seen++ < rows && cursor.advance();
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
}
