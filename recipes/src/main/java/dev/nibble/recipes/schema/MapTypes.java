package dev.nibble.recipes.schema;

import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Entry;
import dev.nibble.recipes.yaml.Node.Mapping;
import dev.nibble.recipes.yaml.Node.Scalar;
import dev.nibble.recipes.yaml.Node.Sequence;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;

/** Key types for groups whose names are free. */
public final class MapTypes {
  private MapTypes() {}

  /** Any names with texts, numbers, true or false, lists and groups of these. */
  public static KeyType<Map<String, Object>> values() {
    return new MapType<>("names with values", MapTypes::value);
  }

  /** Any names, each with a text or a list of texts. */
  public static KeyType<Map<String, List<String>>> textLists() {
    return new MapType<>("names, each with a list of texts", MapTypes::texts);
  }

  private static Optional<Object> value(Node node, Problems.At problems) {
    return switch (node) {
      case Scalar s -> scalar(s, problems);
      case Sequence list -> {
        List<Object> values = new ArrayList<>();
        list.items().forEach(item -> value(item, problems).ifPresent(values::add));
        yield Optional.of(List.copyOf(values));
      }
      case Mapping mapping -> {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Entry e : mapping.entries()) {
          value(e.value(), problems).ifPresent(v -> values.put(e.key(), v));
        }
        yield Optional.of(values);
      }
    };
  }

  private static Optional<Object> scalar(Scalar s, Problems.At problems) {
    return switch (s.kind()) {
      case TEXT -> Optional.of(s.text());
      case BOOLEAN -> Optional.of(s.text().toLowerCase(Locale.ROOT).equals("true"));
      case WHOLE_NUMBER -> Optional.of(new BigInteger(s.text().replaceFirst("^\\+", "")));
      case NUMBER -> Optional.of(new BigDecimal(s.text()).doubleValue());
      case NOTHING -> {
        problems.add(s, "expected a value, got nothing");
        yield Optional.empty();
      }
    };
  }

  private static Optional<List<String>> texts(Node node, Problems.At problems) {
    List<Node> items = node instanceof Sequence list ? list.items() : List.of(node);
    List<String> texts = new ArrayList<>();
    for (Node item : items) {
      if (item instanceof Scalar s && s.kind() == Scalar.Kind.TEXT) {
        texts.add(s.text());
      } else {
        problems.add(item, "expected text, got " + item.describe());
      }
    }
    return Optional.of(List.copyOf(texts));
  }

  private record MapType<T>(String what, BiFunction<Node, Problems.At, Optional<T>> item)
      implements KeyType<Map<String, T>> {
    @Override
    public String describe() {
      return "a group of " + what;
    }

    @Override
    public Optional<Map<String, T>> read(Node node, String path, Problems problems) {
      if (!(node instanceof Mapping mapping)) {
        return mismatch(node, path, problems, "");
      }
      Map<String, T> values = new LinkedHashMap<>();
      for (Entry e : mapping.entries()) {
        item.apply(e.value(), problems.at(path + "." + e.key()))
            .ifPresent(v -> values.put(e.key(), v));
      }
      return Optional.of(values);
    }

    @Override
    public Object plain(Map<String, T> value) {
      return value;
    }
  }
}
