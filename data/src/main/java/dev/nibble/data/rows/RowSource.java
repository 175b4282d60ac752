package dev.nibble.data.rows;

import java.util.List;

/**
 * Rows that can be streamed any number of times, the same each time. Nothing is held open between
 * cursors.
 */
public interface RowSource {
  /** Starts at the first row. */
  RowCursor open();

  /** Name of the source for messages, the same in every run. */
  String describe();

  /** All columns: of the schema where the file has one, otherwise of the first row. */
  List<String> columns();

  /** The same rows with some of their columns; the others need not be read. */
  RowSource only(Projection columns);

  /** The parts of which this source is the concatenation; itself when it has no parts. */
  default List<RowSource> shards() {
    return List.of(this);
  }
}
