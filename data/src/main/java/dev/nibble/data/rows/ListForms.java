package dev.nibble.data.rows;

import dev.nibble.data.json.InvalidJson;
import dev.nibble.data.json.JsonReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The forms in which files hold a list: as such, as JSON text, or as a struct of lists. */
final class ListForms {
  private ListForms() {}

  /**
   * The list that a value is.
   *
   * @return empty when it is none, however read
   * @throws InvalidJson when it is text that begins like a list and is not valid
   */
  static Optional<List<?>> list(Object value) {
    return switch (fromText(value)) {
      case List<?> list -> Optional.of(list.stream().map(ListForms::fromItem).toList());
      case Map<?, ?> struct -> structs(struct);
      case null, default -> Optional.empty();
    };
  }

  /** The value that JSON text of a list or an object stands for; any other value as it is. */
  private static @Nullable Object fromText(Object value) {
    if (!(value instanceof String text)) {
      return value;
    }
    String start = text.stripLeading();
    return start.startsWith("[") || start.startsWith("{") ? JsonReader.parse(text) : text;
  }

  private static @Nullable Object fromItem(@Nullable Object item) {
    return item == null ? null : fromText(item);
  }

  /** The structs of a struct of lists, which must all be as long. */
  private static Optional<List<?>> structs(Map<?, ?> struct) {
    List<Map<String, @Nullable Object>> items = new ArrayList<>();
    for (Map.Entry<?, ?> field : struct.entrySet()) {
      if (!(field.getValue() instanceof List<?> values)
          || (!items.isEmpty() && values.size() != items.size())) {
        return Optional.empty();
      }
      while (items.size() < values.size()) {
        items.add(struct instanceof Struct ? new Struct(struct.size()) : new LinkedHashMap<>());
      }
      for (int i = 0; i < values.size(); i++) {
        items.get(i).put(String.valueOf(field.getKey()), values.get(i));
      }
    }
    return items.isEmpty() ? Optional.empty() : Optional.of(items);
  }
}
