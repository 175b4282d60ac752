package dev.nibble.data.text;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.rows.RowSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Rows of a JSON file: one object after another (JSON lines), or one top-level array of objects.
 */
public record JsonRows(Path file) implements RowSource {
  private static final JsonFactory JSON = new JsonFactory();

  @Override
  public String describe() {
    return file.toString();
  }

  @Override
  public List<String> columns() {
    try (RowCursor rows = open()) {
      return rows.advance() ? List.copyOf(rows.row().columns()) : List.of();
    }
  }

  @Override
  public RowCursor open() {
    try {
      return new Cursor(file, JSON.createParser(ObjectReadContext.empty(), file));
    } catch (JacksonException e) {
      throw new InvalidDataset(file + ": cannot be read: " + e.getOriginalMessage(), e);
    }
  }

  private static final class Cursor implements RowCursor {
    private final Path file;
    private final JsonParser parser;
    private boolean inArray;
    private long rows;
    private @Nullable Row row;

    Cursor(Path file, JsonParser parser) {
      this.file = file;
      this.parser = parser;
    }

    @Override
    public boolean advance() {
      try {
        JsonToken token = parser.nextToken();
        if (token == JsonToken.START_ARRAY && rows == 0) {
          inArray = true;
          token = parser.nextToken();
        }
        if (inArray && token == JsonToken.END_ARRAY) {
          token = parser.nextToken();
          if (token != null) {
            throw new InvalidDataset(
                place() + ": more text follows after the array of rows. Remove it.");
          }
        }
        if (token == null) {
          row = null;
          return false;
        }
        if (token != JsonToken.START_OBJECT) {
          throw new InvalidDataset(
              place() + ": expected an object ({...}) for each row, found " + token + ".");
        }
        Map<String, @Nullable Object> values = object();
        row = new Row(values, file.toString(), ++rows);
        return true;
      } catch (JacksonException e) {
        throw new InvalidDataset(
            place()
                + ": not valid JSON: "
                + e.getOriginalMessage()
                + ". The rows before it are sound; repair or remove this one.",
            e);
      }
    }

    private String place() {
      return "%s, row %d (line %d)".formatted(file, rows + 1, parser.currentLocation().getLineNr());
    }

    private Map<String, @Nullable Object> object() {
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        parser.nextToken();
        values.put(name, value());
      }
      return values;
    }

    private @Nullable Object value() {
      return switch (parser.currentToken()) {
        case START_OBJECT -> object();
        case START_ARRAY -> {
          List<@Nullable Object> list = new ArrayList<>();
          while (parser.nextToken() != JsonToken.END_ARRAY) {
            list.add(value());
          }
          yield list;
        }
        case VALUE_STRING -> parser.getString();
        case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getNumberValue();
        case VALUE_TRUE -> true;
        case VALUE_FALSE -> false;
        default -> null;
      };
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
      parser.close();
    }
  }
}
