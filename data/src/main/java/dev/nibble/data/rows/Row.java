package dev.nibble.data.rows;

import dev.nibble.errors.NearestName;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One row of a dataset, in the order of its columns. A value is a {@link String}, a {@link Number},
 * a {@link Boolean}, a {@link List} of values, a {@link Map} from field name to value, or null. A
 * null counts as absent.
 */
public final class Row {
  private final Map<String, @Nullable Object> values;
  private final String file;
  private final long number;

  /**
   * @param values the values by column; kept, so the caller must not change it afterwards
   * @param file source of the row, for messages
   * @param number of the row in that file, from 1
   */
  public Row(Map<String, @Nullable Object> values, String file, long number) {
    this.values = values;
    this.file = file;
    this.number = number;
  }

  /** The columns, in order. */
  public Set<String> columns() {
    return Collections.unmodifiableSet(values.keySet());
  }

  /** The values by column. */
  public Map<String, @Nullable Object> values() {
    return Collections.unmodifiableMap(values);
  }

  /** Number of the row in its file, from 1. */
  public long number() {
    return number;
  }

  /** The value of a column, empty when the column is missing or null. */
  public Optional<Object> value(String column) {
    return Optional.ofNullable(values.get(column));
  }

  /** The value of a column that must be there. Numbers and booleans become their text. */
  public String text(String column) {
    return asText(column, required(column));
  }

  /** The text of a column, empty when the column is missing or null. */
  public Optional<String> optionalText(String column) {
    return value(column).map(v -> asText(column, v));
  }

  /** The list in a column that must be there. */
  public List<?> list(String column) {
    if (required(column) instanceof List<?> list) {
      return list;
    }
    throw invalid(
        "column '" + column + "' should hold a list, but holds " + kind(values.get(column)) + ".");
  }

  /** An error about this row: file, row number, then {@code problem}. */
  public InvalidDataset invalid(String problem) {
    return new InvalidDataset(place() + ": " + problem);
  }

  /** An error about this row, with what would avoid it. */
  public InvalidDataset invalid(String problem, Remedy remedy) {
    return new InvalidDataset(place() + ": " + problem, remedy);
  }

  /** An error about this row that was found without knowing the row. */
  public InvalidDataset invalid(NibbleException problem) {
    return new InvalidDataset(place(), problem);
  }

  /** Where the row is: its file and number. */
  public String place() {
    return file + ", row " + number;
  }

  private Object required(String column) {
    Object value = values.get(column);
    if (value != null) {
      return value;
    }
    if (values.containsKey(column)) {
      throw invalid(
          "column '" + column + "' is null, but must have a value. Remove the row or fill it.");
    }
    throw invalid(
        "there is no column '"
            + column
            + "'; the columns are "
            + values.keySet()
            + "."
            + NearestName.hint(values.keySet(), column));
  }

  private String asText(String column, Object value) {
    return switch (value) {
      case String s -> s;
      case Number n -> n.toString();
      case Boolean b -> b.toString();
      default ->
          throw invalid("column '" + column + "' should hold text, but holds " + kind(value) + ".");
    };
  }

  private static String kind(@Nullable Object value) {
    return switch (value) {
      case null -> "null";
      case String s -> "text";
      case Number n -> "a number";
      case Boolean b -> "a boolean";
      case List<?> l -> "a list";
      case Map<?, ?> m -> "a struct with the fields " + m.keySet();
      default -> "a " + value.getClass().getSimpleName();
    };
  }

  @Override
  public String toString() {
    return values.toString();
  }
}
