package dev.nibble.data.text;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.rows.RowSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.MappingIterator;
import tools.jackson.databind.ObjectReader;
import tools.jackson.dataformat.csv.CsvMapper;
import tools.jackson.dataformat.csv.CsvReadFeature;

/**
 * Rows of a file of separated values (RFC 4180) whose first line names the columns. Every value is
 * text; an empty one is the empty text.
 */
public record CsvRows(Path file) implements RowSource {
  private static final ObjectReader READER =
      new CsvMapper().readerFor(String[].class).with(CsvReadFeature.WRAP_AS_ARRAY);

  @Override
  public String describe() {
    return file.toString();
  }

  @Override
  public List<String> columns() {
    try (Cursor cursor = cursor()) {
      return cursor.columns;
    }
  }

  @Override
  public RowCursor open() {
    return cursor();
  }

  private Cursor cursor() {
    try {
      return new Cursor(file, READER.readValues(file));
    } catch (JacksonException e) {
      throw new InvalidDataset(file + ": cannot be read: " + e.getOriginalMessage(), e);
    }
  }

  private static final class Cursor implements RowCursor {
    private final Path file;
    private final MappingIterator<String[]> records;
    private final List<String> columns;
    private long rows;
    private @Nullable Row row;

    Cursor(Path file, MappingIterator<String[]> records) {
      this.file = file;
      this.records = records;
      this.columns = records.hasNextValue() ? header(records.nextValue()) : List.of();
    }

    private List<String> header(String[] names) {
      List<String> header = new ArrayList<>(List.of(names));
      header.set(0, header.getFirst().replace("\uFEFF", ""));
      if (new HashSet<>(header).size() != header.size()) {
        throw new InvalidDataset(file + ": the header names a column twice: " + header + ".");
      }
      return List.copyOf(header);
    }

    @Override
    public boolean advance() {
      try {
        if (!records.hasNextValue()) {
          row = null;
          return false;
        }
        String[] fields = records.nextValue();
        if (fields.length != columns.size()) {
          throw new InvalidDataset(
              "%s, row %d: %d values, but the header names %d columns %s. Quote values that contain commas."
                  .formatted(file, rows + 1, fields.length, columns.size(), columns));
        }
        Map<String, @Nullable Object> values = LinkedHashMap.newLinkedHashMap(fields.length);
        for (int i = 0; i < fields.length; i++) {
          values.put(columns.get(i), fields[i]);
        }
        row = new Row(values, file.toString(), ++rows);
        return true;
      } catch (JacksonException e) {
        throw new InvalidDataset(
            file + ", row " + (rows + 1) + ": not valid CSV: " + e.getOriginalMessage(), e);
      }
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
      records.close();
    }
  }
}
