package dev.nibble.data.text;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Projection;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.rows.RowSource;
import dev.nibble.errors.Remedy;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.MappingIterator;
import tools.jackson.dataformat.csv.CsvMapper;
import tools.jackson.dataformat.csv.CsvReadFeature;
import tools.jackson.dataformat.csv.CsvSchema;

/**
 * Rows of a file of separated values (RFC 4180) whose first line names the columns. What separates
 * them is what the first line has most of: commas, semicolons (as spreadsheets write where the
 * comma is the decimal point) or tabs. Every value is text; an empty one is the empty text.
 *
 * @param file the file
 * @param projection the columns to read
 */
public record CsvRows(Path file, Projection projection) implements RowSource {
  private static final CsvMapper CSV = new CsvMapper();
  private static final char[] SEPARATORS = {',', ';', '\t'};

  /** All columns of a file. */
  public CsvRows(Path file) {
    this(file, Projection.ALL);
  }

  @Override
  public String describe() {
    return file.toString();
  }

  @Override
  public List<String> columns() {
    try (Cursor cursor = new Cursor(this)) {
      return cursor.columns;
    }
  }

  @Override
  public RowSource only(Projection columns) {
    return new CsvRows(file, columns);
  }

  @Override
  public RowCursor open() {
    return new Cursor(this);
  }

  private static char separator(Path file) {
    int[] counts = new int[SEPARATORS.length];
    try (TextLines lines = TextLines.open(file)) {
      boolean quoted = false;
      char[] next = new char[1];
      while (lines.read(next, 0, 1) > 0 && (quoted || (next[0] != '\n' && next[0] != '\r'))) {
        quoted ^= next[0] == '"';
        for (int i = 0; i < SEPARATORS.length; i++) {
          counts[i] += !quoted && next[0] == SEPARATORS[i] ? 1 : 0;
        }
      }
    }
    int most = 0;
    for (int i = 1; i < counts.length; i++) {
      most = counts[i] > counts[most] ? i : most;
    }
    return SEPARATORS[most];
  }

  private static final class Cursor implements RowCursor {
    private final Path file;
    private final Projection projection;
    private final char separator;
    private final TextLines lines;
    private final MappingIterator<String[]> records;
    private final List<String> columns;
    private long rows;
    private @Nullable Row row;

    Cursor(CsvRows source) {
      this.file = source.file;
      this.projection = source.projection;
      this.separator = separator(file);
      this.lines = TextLines.open(file);
      try {
        this.records =
            CSV.readerFor(String[].class)
                .with(CsvReadFeature.WRAP_AS_ARRAY)
                .with(CsvReadFeature.SKIP_EMPTY_LINES)
                .with(CsvSchema.emptySchema().withColumnSeparator(separator))
                .readValues(lines);
        String[] names = next();
        this.columns = names == null ? List.of() : header(names);
      } catch (RuntimeException e) {
        lines.close();
        throw e;
      }
    }

    private List<String> header(String[] names) {
      if (new HashSet<>(List.of(names)).size() != names.length) {
        throw new InvalidDataset(
            file + ", line 1: the header names a column twice: " + List.of(names) + ".");
      }
      return List.of(names);
    }

    /** The next record; null at the end. */
    private String @Nullable [] next() {
      try {
        return records.hasNextValue() ? records.nextValue() : null;
      } catch (JacksonException e) {
        if (e.getCause() instanceof InvalidDataset unreadable) {
          throw unreadable;
        }
        throw new InvalidDataset(
            "%s, row %d, line %d: not valid CSV: expected %s or the end of the line after a value in double quotes, and a closing quote for each that opens. Within such a value a quote is written twice."
                .formatted(file, rows + 1, e.getLocation().getLineNr(), name(separator)),
            e);
      }
    }

    private static String name(char separator) {
      return separator == '\t' ? "a tab" : "'" + separator + "'";
    }

    @Override
    public boolean advance() {
      row = null;
      String[] fields = next();
      if (fields == null) {
        return false;
      }
      rows++;
      if (fields.length != columns.size()) {
        row = Row.damaged(file.toString(), rows, ragged(fields.length));
        return true;
      }
      Map<String, @Nullable Object> values = LinkedHashMap.newLinkedHashMap(fields.length);
      for (int i = 0; i < fields.length; i++) {
        if (projection.reads(columns.get(i))) {
          values.put(columns.get(i), fields[i]);
        }
      }
      row = new Row(values, columns, file.toString(), rows);
      return true;
    }

    private InvalidDataset ragged(int fields) {
      return new InvalidDataset(
          "%s, row %d: expected %d values separated by %s, one for each of the columns %s, got %d. A value that contains the separator must stand in double quotes"
              .formatted(file, rows, columns.size(), name(separator), columns, fields),
          Remedy.MEND_OR_SKIP_ROWS);
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
      lines.close();
    }
  }
}
