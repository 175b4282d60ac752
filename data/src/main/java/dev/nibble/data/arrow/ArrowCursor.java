package dev.nibble.data.arrow;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Projection;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** Rows of an Arrow reader, one record batch at a time. */
final class ArrowCursor implements RowCursor {
  private static final Pattern CODEC = Pattern.compile("codec '(\\w+)' not built");

  private final Path file;
  private final ArrowReader reader;
  private final Guard guard;
  private final VectorSchemaRoot root;
  private final Projection projection;
  private final List<String> names;
  private final Resources owned;
  private List<ColumnReader> columns = List.of();
  private long batches;
  private long rows;
  private int inBatch = -1;
  private int batchRows;
  private @Nullable Row row;

  /** A check that values which were read are those of the file. */
  @FunctionalInterface
  interface Guard {
    void check() throws IOException;
  }

  /**
   * @param guard is asked after each row and each record batch
   * @param projection the columns to read
   * @param names all columns of the file
   * @param owned resources that are closed with this cursor, the reader included
   */
  ArrowCursor(
      Path file,
      ArrowReader reader,
      Guard guard,
      Projection projection,
      List<String> names,
      Resources owned)
      throws IOException {
    this.file = file;
    this.reader = reader;
    this.guard = guard;
    this.root = reader.getVectorSchemaRoot();
    this.projection = projection;
    this.names = names;
    this.owned = owned;
  }

  /** The names of all columns of a schema. */
  static List<String> names(Schema schema) {
    return schema.getFields().stream().map(Field::getName).toList();
  }

  List<String> columns() {
    return names;
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
      guard.check();
    } catch (InvalidDataset e) {
      throw e;
    } catch (IOException | RuntimeException | VirtualMachineError e) {
      // A wild length asks for all memory; what is mapped and gone is an InternalError.
      throw corrupt("row " + rows, e);
    }
    row = new Row(values, names, file.toString(), rows);
    return true;
  }

  private boolean nextBatch() {
    batches++;
    try {
      if (!reader.loadNextBatch()) {
        return false;
      }
      root.getFieldVectors().forEach(OffsetCheck::of);
      reader.getDictionaryVectors().values().forEach(d -> OffsetCheck.of(d.getVector()));
      guard.check();
      batchRows = root.getRowCount();
      inBatch = -1;
      columns =
          root.getFieldVectors().stream()
              .filter(v -> projection.reads(v.getName()))
              .map(v -> ColumnReader.of(v, reader, file))
              .toList();
      return true;
    } catch (InvalidDataset e) {
      throw e;
    } catch (IOException | RuntimeException | VirtualMachineError e) {
      batchRows = 0; // half made, so that there is no next row
      throw owned.closedBy(corrupt("after row " + rows, e));
    }
  }

  private InvalidDataset corrupt(String where, Throwable e) {
    return missingCodec(file, e)
        .orElseGet(() ->
            new InvalidDataset(
                "%s, record batch %d, %s: the data are corrupt or cut short. Fetch or write the file again."
                    .formatted(file, batches, where),
                e));
  }

  /** The library is built without some codecs; a file that needs one is sound. */
  static Optional<InvalidDataset> missingCodec(Path file, Throwable e) {
    Matcher codec = CODEC.matcher(String.valueOf(e.getMessage()));
    return codec.find()
        ? Optional.of(
            new InvalidDataset(
                "%s: is compressed with %s, which is not supported. Write it again with another compression, such as snappy, gzip or zstd."
                    .formatted(file, codec.group(1)),
                e))
        : Optional.empty();
  }

  static InvalidDataset unreadable(Path file, Throwable e) {
    String why = e instanceof IpcCheck.Corrupt corrupt ? " (" + corrupt.getMessage() + ")" : "";
    return new InvalidDataset(
        "%s: cannot be read as Arrow data%s. Expected an Arrow IPC stream or file; fetch or write the file again."
            .formatted(file, why),
        e);
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
