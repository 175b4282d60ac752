package dev.nibble.data.text;

import dev.nibble.data.json.InvalidJson;
import dev.nibble.data.json.JsonReader;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Projection;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.rows.RowSource;
import dev.nibble.errors.Remedy;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonToken;

/**
 * Rows of a JSON file: one object after another (JSON lines), one top-level array of objects, or
 * such an array under {@code data} or {@code train} in one object.
 *
 * @param file the file
 * @param projection the columns to read
 */
public record JsonRows(Path file, Projection projection) implements RowSource {
  /** Fields under which an object holds all rows, where they are no columns that are asked for. */
  private static final Set<String> WRAPPERS = Set.of("data", "train");

  /** All columns of a file. */
  public JsonRows(Path file) {
    this(file, Projection.ALL);
  }

  /** Whether a file's first character, other than white space, begins an object or an array. */
  public static boolean isLikely(Path file) {
    try (TextLines lines = TextLines.open(file)) {
      char[] next = new char[1];
      while (lines.read(next, 0, 1) > 0) {
        if (!Character.isWhitespace(next[0])) {
          return next[0] == '{' || next[0] == '[';
        }
      }
      return false;
    } catch (InvalidDataset e) {
      return false; // bytes that are no text
    }
  }

  @Override
  public String describe() {
    return file.toString();
  }

  @Override
  public List<String> columns() {
    try (Cursor cursor = new Cursor(this)) {
      return cursor.advance() ? List.copyOf(cursor.names) : List.of();
    }
  }

  @Override
  public RowSource only(Projection columns) {
    return new JsonRows(file, columns);
  }

  @Override
  public RowCursor open() {
    return new Cursor(this);
  }

  /**
   * Cursor over the rows of a file. In JSON lines a row that is damaged is followed by the next
   * line that begins an object; within an array nobody knows where the next row begins.
   */
  private static final class Cursor implements RowCursor {
    private final Path file;
    private final Projection projection;
    private final TextLines lines;
    private JsonReader json;
    private boolean inArray;
    private boolean inWrapper;
    private long rows;
    private long startLine = 1;
    private long endLine;
    private Set<String> names = Set.of();
    private @Nullable Row row;

    Cursor(JsonRows source) {
      this.file = source.file;
      this.projection = source.projection;
      this.lines = TextLines.open(file);
      this.json = new JsonReader(lines);
    }

    @Override
    public boolean advance() {
      row = null;
      try {
        JsonToken token = first();
        if (token == null) {
          return false;
        }
        startLine = lines.line();
        if (token == JsonToken.START_OBJECT) {
          return object();
        }
        InvalidJson other = json.unexpected();
        json.skip();
        row = damaged(other);
      } catch (InvalidJson e) {
        row = damaged(e);
        if (inArray) {
          row.values(); // throws the error: nobody knows where the next row of an array begins
        }
        goOn();
      }
      endLine = lines.line();
      return true;
    }

    /** The first token of the next row; null at the end. */
    private @Nullable JsonToken first() {
      if (inArray) {
        JsonToken token = json.next(rows == 0 ? "an object or ']'" : "',' and an object, or ']'");
        return token == JsonToken.END_ARRAY ? end() : token;
      }
      JsonToken token;
      try {
        token = json.next("an object ({...}) for each row");
      } catch (InvalidJson e) {
        if (rows > 0 && lines.line() == endLine) {
          throw new InvalidDataset(
              "%s, line %d, column %d: after a row, %s. Remove what stands between the rows."
                  .formatted(file, endLine, e.column(), e.problem()));
        }
        startLine = lines.line();
        throw e;
      }
      if (token == JsonToken.START_ARRAY && rows == 0) {
        inArray = true;
        return first();
      }
      return token;
    }

    /** What follows after the array of rows. */
    private @Nullable JsonToken end() {
      while (inWrapper && json.nextField(false)) {
        String name = json.name();
        json.nextValue();
        if (projection.reads(name)) {
          throw new InvalidDataset(
              "%s, line %d: it holds rows under one name and '%s' beside them, so it is not clear what its rows are. Save the rows as JSON lines, one object a line."
                  .formatted(file, lines.line(), name));
        }
        json.skip();
      }
      if (json.next("the end of the file") != null) {
        throw new InvalidDataset(
            "%s, line %d: expected the end of the file after the array of rows, got more text. Remove it."
                .formatted(file, lines.line()));
      }
      return null;
    }

    /** Reads an object whose '{' is current: a row, or what all rows are wrapped in. */
    private boolean object() {
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      Set<String> seen = new LinkedHashSet<>();
      while (json.nextField(seen.isEmpty())) {
        String name = json.name();
        if (!seen.add(name)) {
          throw json.twice(name);
        }
        JsonToken token = json.nextValue();
        if (projection.reads(name)) {
          values.put(name, json.value());
        } else if (token == JsonToken.START_ARRAY && wraps(name, values)) {
          if (json.next("a value or ']'") == JsonToken.START_OBJECT) {
            inArray = true;
            inWrapper = true;
            return object();
          }
          json.skipRestOfList();
        } else {
          json.skip();
        }
      }
      names = seen.equals(names) ? names : seen;
      endLine = lines.line();
      row = new Row(values, names, file.toString(), ++rows);
      return true;
    }

    private boolean wraps(String name, Map<String, @Nullable Object> values) {
      return rows == 0 && !inArray && values.isEmpty() && WRAPPERS.contains(name);
    }

    private Row damaged(InvalidJson e) {
      long at = lines.line();
      String since = at == startLine ? "" : " (the row begins on line " + startLine + ")";
      return Row.damaged(
          file.toString(),
          ++rows,
          new InvalidDataset(
              "%s, row %d, line %d, column %d: not valid JSON: %s%s"
                  .formatted(file, rows, at, e.column(), e.problem(), since),
              Remedy.MEND_OR_SKIP_ROWS));
    }

    /** Goes to the next line that begins an object: the one of the error, or one behind it. */
    private void goOn() {
      if (lines.line() > startLine && lines.lineBegins('{')) {
        lines.restartLine();
      } else {
        lines.nextLine('{');
      }
      json.close();
      json = new JsonReader(lines);
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
      json.close();
      lines.close();
    }
  }
}
