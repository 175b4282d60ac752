package dev.nibble.data;

import dev.nibble.data.rows.Projection;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.rows.RowSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Rows made by the tests themselves. */
public final class Rows {
  private Rows() {}

  /** One row with the given columns and values in turn. */
  public static Row row(@Nullable Object... columnsAndValues) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    for (int i = 0; i < columnsAndValues.length; i += 2) {
      values.put(String.valueOf(columnsAndValues[i]), columnsAndValues[i + 1]);
    }
    return new Row(values, "test.jsonl", 7);
  }

  /** {@code count} rows with a column {@code text}, made while they are read. */
  public static RowSource generated(String name, int count, IntFunction<String> text) {
    return new RowSource() {
      @Override
      public RowCursor open() {
        return new GeneratedCursor(name, count, text);
      }

      @Override
      public String describe() {
        return name;
      }

      @Override
      public List<String> columns() {
        return List.of("text");
      }

      @Override
      public RowSource only(Projection columns) {
        return this;
      }
    };
  }

  /** All rows of a source. */
  public static List<Row> all(RowSource source) {
    List<Row> rows = new ArrayList<>();
    try (RowCursor cursor = source.open()) {
      while (cursor.advance()) {
        rows.add(cursor.row());
      }
    }
    return rows;
  }

  private static final class GeneratedCursor implements RowCursor {
    private final String name;
    private final int count;
    private final IntFunction<String> text;
    private int at = -1;

    GeneratedCursor(String name, int count, IntFunction<String> text) {
      this.name = name;
      this.count = count;
      this.text = text;
    }

    @Override
    public boolean advance() {
      at++;
      return at < count;
    }

    @Override
    public Row row() {
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      values.put("text", text.apply(at));
      return new Row(values, name, at + 1);
    }

    @Override
    public void close() {}
  }
}
