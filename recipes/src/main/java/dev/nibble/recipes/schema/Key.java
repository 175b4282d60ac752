package dev.nibble.recipes.schema;

import dev.nibble.recipes.yaml.YamlText;
import java.util.Optional;
import java.util.function.Function;

/**
 * One key: everything that reading, writing and documenting it needs.
 *
 * @param <R> the record whose part the key is
 * @param <T> the type of its value
 * @param name as recipes write it
 * @param type type of its value
 * @param fallback its default
 * @param from the value in a finished record; empty where the key does not apply
 * @param doc its documentation, in Markdown
 */
public record Key<R, T>(
    String name, KeyType<T> type, Default<T> fallback, Function<R, Optional<T>> from, String doc) {

  /** A key that always has a value. */
  public static <R, T> Key<R, T> of(
      String name, KeyType<T> type, Default<T> fallback, Function<R, T> from, String doc) {
    return new Key<>(name, type, fallback, r -> Optional.of(from.apply(r)), doc);
  }

  /** A key that does not always have a value. */
  public static <R, T> Key<R, T> when(
      String name,
      KeyType<T> type,
      Default<T> fallback,
      Function<R, Optional<T>> from,
      String doc) {
    return new Key<>(name, type, fallback, from, doc);
  }

  /** The value of this key in {@code record}, to be written. */
  public Optional<Object> plain(R record) {
    return from.apply(record).map(type::plain);
  }

  /** The default, for the documentation. */
  public String describeDefault() {
    return switch (fallback) {
      case Default.Required<T> r -> "**required**";
      case Default.Value<T>(T value) -> "`" + YamlText.inline(type.plain(value)) + "`";
      case Default.Otherwise<T>(String words) -> words;
    };
  }
}
