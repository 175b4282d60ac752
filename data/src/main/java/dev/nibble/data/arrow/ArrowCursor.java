package dev.nibble.data.arrow;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.Field;
import org.jspecify.annotations.Nullable;

/** Rows of an Arrow reader, one record batch at a time. */
final class ArrowCursor implements RowCursor {
  private final Path file;
  private final ArrowReader reader;
  private final VectorSchemaRoot root;
  private final Resources owned;
  private List<ColumnReader> columns = List.of();
  private long batches;
  private long rows;
  private int inBatch = -1;
  private int batchRows;
  private @Nullable Row row;

  /**
   * @param owned resources that are closed with this cursor, the reader included
   */
  ArrowCursor(Path file, ArrowReader reader, Resources owned) throws IOException {
    this.file = file;
    this.reader = reader;
    this.root = reader.getVectorSchemaRoot();
    this.owned = owned;
  }

  List<String> columns() {
    return root.getSchema().getFields().stream().map(Field::getName).toList();
  }

  @Override
  public boolean advance() {
    row = null;
    while (inBatch + 1 >= batchRows) {
      if (!nextBatch()) {
        return false;
      }
    }
    inBatch++;
    rows++;
    Map<String, @Nullable Object> values = LinkedHashMap.newLinkedHashMap(columns.size());
    try {
      for (ColumnReader column : columns) {
        values.put(column.name(), column.read(inBatch));
      }
    } catch (InvalidDataset e) {
      throw e;
    } catch (RuntimeException e) {
      throw corrupt("row " + rows, e);
    }
    row = new Row(values, file.toString(), rows);
    return true;
  }

  private boolean nextBatch() {
    batches++;
    try {
      if (!reader.loadNextBatch()) {
        return false;
      }
      batchRows = root.getRowCount();
      inBatch = -1;
      columns = root.getFieldVectors().stream().map(v -> ColumnReader.of(v, reader, file)).toList();
      return true;
    } catch (InvalidDataset e) {
      throw e;
    } catch (IOException
        | RuntimeException
        | OutOfMemoryError e) { // a wild length asks for all memory
      throw corrupt("after row " + rows, e);
    }
  }

  private InvalidDataset corrupt(String where, Throwable e) {
    return new InvalidDataset(
        "%s, record batch %d, %s: the Arrow data are corrupt or cut short (%s). Fetch or write the file again."
            .formatted(file, batches, where, describe(e)),
        e);
  }

  static InvalidDataset unreadable(Path file, Throwable e) {
    return new InvalidDataset(
        file
            + ": cannot be read as Arrow data ("
            + describe(e)
            + "). Expected an Arrow IPC stream or file; fetch or write the file again.",
        e);
  }

  private static String describe(Throwable e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  @Override
  public Row row() {
    if (row == null) {
      throw new IllegalStateException("no current row");
    }
    return row;
  }

  @Override
  public void close() {
    owned.close();
  }
}
