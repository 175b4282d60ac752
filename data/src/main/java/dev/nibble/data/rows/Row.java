package dev.nibble.data.rows;

import dev.nibble.data.json.InvalidJson;
import dev.nibble.errors.NearestName;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One row of a dataset, in the order of its columns. A value is a {@link String}, a {@link Number},
 * a {@link Boolean}, a {@link List} of values, a {@link Map} from field name to value, {@link
 * Opaque}, or null. A null counts as absent.
 *
 * <p>A row that the file is damaged in is a row too, so that the ones behind it keep their numbers:
 * whoever asks it for a value gets the error.
 */
public final class Row {
  private static final String TABLE =
      " So do all its columns: it looks like a whole table, written column by column. Write an object for each row, in pandas with to_json(FILE, orient=\"records\", lines=True).";

  private final Map<String, @Nullable Object> values;
  private final Collection<String> columns;
  private final String file;
  private final long number;
  private final Optional<InvalidDataset> damage;

  /**
   * @param values the values by column; kept, so the caller must not change it afterwards
   * @param file source of the row, for messages
   * @param number of the row in that file, from 1
   */
  public Row(Map<String, @Nullable Object> values, String file, long number) {
    this(values, values.keySet(), file, number);
  }

  /**
   * @param values the values of the columns that were read; kept, as the columns are
   * @param columns all columns that the row has, for messages
   * @param file source of the row, for messages
   * @param number of the row in that file, from 1
   */
  public Row(
      Map<String, @Nullable Object> values, Collection<String> columns, String file, long number) {
    this(values, columns, file, number, Optional.empty());
  }

  private Row(
      Map<String, @Nullable Object> values,
      Collection<String> columns,
      String file,
      long number,
      Optional<InvalidDataset> damage) {
    this.values = values;
    this.columns = columns;
    this.file = file;
    this.number = number;
    this.damage = damage;
  }

  /** A row that cannot be read, with the error for whoever asks for a value of it. */
  public static Row damaged(String file, long number, InvalidDataset damage) {
    return new Row(Map.of(), Set.of(), file, number, Optional.of(damage));
  }

  /** The columns that were read, in order. */
  public Set<String> columns() {
    return Collections.unmodifiableSet(sound().keySet());
  }

  /** The values by column, of those that were read. */
  public Map<String, @Nullable Object> values() {
    return Collections.unmodifiableMap(sound());
  }

  private Map<String, @Nullable Object> sound() {
    damage.ifPresent(error -> {
      throw error;
    });
    return values;
  }

  /** Number of the row in its file, from 1. */
  public long number() {
    return number;
  }

  /** The value of a column, empty when the column is missing or null. */
  public Optional<Object> value(String column) {
    return Optional.ofNullable(sound().get(column));
  }

  /** The value of a column that must be there. Numbers and booleans become their text. */
  public String text(String column) {
    return asText(column, required(column));
  }

  /** The text of a column, empty when the column is missing or null. */
  public Optional<String> optionalText(String column) {
    return value(column).map(v -> asText(column, v));
  }

  /**
   * The list in a column that must be there. It may be written as JSON text, each of its items too;
   * and a struct of lists of one length is a list of structs.
   */
  public List<?> list(String column) {
    Object value = required(column);
    try {
      return ListForms.list(value)
          .orElseThrow(() ->
              invalid(
                  "column '" + column + "' should hold a list, but holds " + kind(value) + "."));
    } catch (InvalidJson e) {
      throw invalid(
          "column '%s' should hold a list, and holds text that is no JSON either: %s, at line %d, column %d of it."
              .formatted(column, e.problem(), e.line(), e.column()));
    }
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
    Object value = sound().get(column);
    if (value != null) {
      return value;
    }
    if (columns.contains(column)) {
      throw invalid(
          "column '" + column + "' is null, but must have a value", Remedy.REMOVE_OR_FILL_ROW);
    }
    throw invalid(
        "there is no column '%s'; the columns are %s.%s"
            .formatted(column, columns, NearestName.hint(Set.copyOf(columns), column)),
        number == 1 ? Remedy.OTHER_KIND_OF_ROWS : Remedy.REMOVE_OR_FILL_ROW);
  }

  private String asText(String column, Object value) {
    return PlainText.of(value)
        .orElseThrow(() ->
            invalid(
                "column '%s' should hold text, but holds %s.%s"
                    .formatted(column, kind(value), isTable() ? TABLE : "")));
  }

  /** Whether every column holds as many values as the others, as a whole table would. */
  private boolean isTable() {
    Set<Integer> sizes = new HashSet<>();
    for (Object value : values.values()) {
      sizes.add(
          switch (value) {
            case List<?> list -> list.size();
            case Map<?, ?> map -> map.size();
            case null, default -> -1;
          });
    }
    return values.size() > 1 && sizes.size() == 1 && !sizes.contains(-1);
  }

  private static String kind(Object value) {
    return switch (value) {
      case String s -> "text";
      case Number n -> "a number";
      case Boolean b -> "a boolean";
      case List<?> l -> "a list";
      case Map<?, ?> m -> "a struct with the fields " + m.keySet();
      default -> value.toString();
    };
  }

  @Override
  public String toString() {
    return values.toString();
  }
}
