package dev.nibble.data.rows;

/**
 * Cursor that goes once through the rows of a source. Use: {@code while (cursor.advance())
 * use(cursor.row());}.
 */
public interface RowCursor extends AutoCloseable {
  /**
   * Goes to the next row.
   *
   * @return false at the end
   * @throws InvalidDataset when the file is corrupt here
   */
  boolean advance();

  /**
   * The current row; it stays valid when the cursor goes on. Only after {@link #advance} said true.
   */
  Row row();

  @Override
  void close();
}
