package dev.nibble.recipes.schema;

import dev.nibble.errors.NearestName;
import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Mapping;
import dev.nibble.recipes.yaml.Node.Scalar;
import dev.nibble.recipes.yaml.Node.Scalar.Kind;
import dev.nibble.recipes.yaml.Node.Sequence;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Types of keys. Numbers have their own file: {@link Numbers}. */
public final class KeyTypes {
  private KeyTypes() {}

  /** Text, quoted or not. */
  public static KeyType<String> text() {
    return new Text();
  }

  /**
   * The path of something to read; relative paths start at the folder of the text that names them.
   */
  public static KeyType<Path> inputPath() {
    return new PathType(true, Optional.empty());
  }

  /** The same for a model's folder, which other tools name by its id on a hub. */
  public static KeyType<Path> modelPath() {
    return new PathType(true, Optional.of(Hub.MODEL));
  }

  /** The same for a dataset. */
  public static KeyType<Path> datasetPath() {
    return new PathType(true, Optional.of(Hub.DATASET));
  }

  /** The path of something to write; relative paths start at the working directory. */
  public static KeyType<Path> outputPath() {
    return new PathType(false, Optional.empty());
  }

  /** {@code true} or {@code false}. */
  public static KeyType<Boolean> flag() {
    return new Flag();
  }

  /** {@code auto}, {@code true} or {@code false}. */
  public static KeyType<AutoFlag> autoFlag() {
    return new AutoFlagType();
  }

  /** One of an enum's constants, written in lower case. */
  public static <E extends Enum<E>> KeyType<E> oneOf(Class<E> choices) {
    return oneOf(choices, Map.of());
  }

  /** The same, with further names for some of them, which other tools have. */
  public static <E extends Enum<E>> KeyType<E> oneOf(Class<E> choices, Map<String, E> otherNames) {
    return new Choice<>(Arrays.asList(choices.getEnumConstants()), otherNames);
  }

  /** One of these constants of an enum, written in lower case. */
  public static <E extends Enum<E>> KeyType<E> oneOf(List<E> choices) {
    return new Choice<>(choices, Map.of());
  }

  /** A list of one thing or more. */
  public static <T> KeyType<List<T>> listOf(KeyType<T> item, String items) {
    return new ListType<>(item, items);
  }

  /** Names of the recipe's choice with a value each, one or more; the order counts. */
  public static <T> KeyType<Map<String, T>> mapOf(KeyType<T> value, String entries) {
    return new MapType<>(value, entries);
  }

  /** A group of keys of its own. */
  public static <R> KeyType<R> section(Schema<R> schema) {
    return new Section<>(schema);
  }

  private record Text() implements KeyType<String> {
    @Override
    public String describe() {
      return "text";
    }

    @Override
    public Optional<String> read(Node node, String path, Problems problems) {
      if (node instanceof Scalar s && s.kind() == Kind.TEXT) {
        return Optional.of(s.text());
      }
      boolean number = node instanceof Scalar s && s.kind() != Kind.NOTHING;
      return mismatch(node, path, problems, number ? "; put it in quotes" : "");
    }

    @Override
    public Object plain(String value) {
      return value;
    }
  }

  private record PathType(boolean input, Optional<Hub> hub) implements KeyType<Path> {
    @Override
    public String describe() {
      return "a path";
    }

    @Override
    public Optional<Path> read(Node node, String path, Problems problems) {
      if (!(node instanceof Scalar s) || s.kind() == Kind.NOTHING || s.text().isBlank()) {
        return mismatch(node, path, problems, "");
      }
      String text = s.text();
      if (text.matches("[A-Za-z][A-Za-z0-9+.-]*://.*")) {
        problems.add(
            node.place(),
            path,
            "%s is a URL, and Nibble reads and writes local files only; expected a path"
                .formatted(text));
        return Optional.empty();
      }
      try {
        Path given =
            text.startsWith("~/")
                ? Path.of(System.getProperty("user.home"), text.substring(2))
                : Path.of(text);
        Path base = input ? node.place().origin().folder() : Path.of("").toAbsolutePath();
        Path found = base.resolve(given).normalize();
        Optional<String> download = hub.flatMap(h -> h.download(text, found));
        download.ifPresent(how -> problems.add(node.place(), path, how));
        return download.isPresent() ? Optional.empty() : Optional.of(found);
      } catch (InvalidPathException e) {
        return mismatch(node, path, problems, ": " + e.getReason());
      }
    }

    @Override
    public Object plain(Path value) {
      return value.toString();
    }
  }

  private record AutoFlagType() implements KeyType<AutoFlag> {
    @Override
    public String describe() {
      return "auto, true or false";
    }

    @Override
    public Optional<AutoFlag> read(Node node, String path, Problems problems) {
      if (node instanceof Scalar s) {
        if (s.kind() == Kind.BOOLEAN) {
          return Optional.of(s.text().equalsIgnoreCase("true") ? AutoFlag.TRUE : AutoFlag.FALSE);
        }
        return s.text().equals("auto")
            ? Optional.of(AutoFlag.AUTO)
            : mismatch(node, path, problems, Flag.advice(s));
      }
      return mismatch(node, path, problems, "");
    }

    @Override
    public Object plain(AutoFlag value) {
      return switch (value) {
        case AUTO -> "auto";
        case TRUE -> true;
        case FALSE -> false;
      };
    }
  }

  private record Flag() implements KeyType<Boolean> {
    @Override
    public String describe() {
      return "true or false";
    }

    @Override
    public Optional<Boolean> read(Node node, String path, Problems problems) {
      if (!(node instanceof Scalar s)) {
        return mismatch(node, path, problems, "");
      }
      if (s.kind() == Kind.BOOLEAN) {
        return Optional.of(s.text().equalsIgnoreCase("true"));
      }
      return mismatch(node, path, problems, advice(s));
    }

    /** For words that mean yes or no elsewhere. */
    private static String advice(Scalar s) {
      return switch (s.text().toLowerCase(Locale.ROOT)) {
        case "true", "false" -> "; remove the quotes";
        case "yes", "on", "1" -> "; write true";
        case "no", "off", "0" -> "; write false";
        default -> "";
      };
    }

    @Override
    public Object plain(Boolean value) {
      return value;
    }
  }

  private record Choice<E extends Enum<E>>(List<E> choices, Map<String, E> otherNames)
      implements KeyType<E> {
    @Override
    public String describe() {
      String all = choices.stream().map(Choice::written).collect(Collectors.joining(", "));
      return choices.size() == 1 ? all : "one of " + all;
    }

    @Override
    public Optional<E> read(Node node, String path, Problems problems) {
      if (node instanceof Scalar s) {
        Optional<E> choice =
            choices.stream()
                .filter(c -> written(c).equals(s.text()))
                .findFirst()
                .or(() -> Optional.ofNullable(otherNames.get(s.text())));
        if (choice.isPresent()) {
          return choice;
        }
        List<String> names = choices.stream().map(Choice::written).toList();
        return mismatch(
            node,
            path,
            problems,
            NearestName.among(names, s.text()).map(n -> "; did you mean " + n + "?").orElse(""));
      }
      return mismatch(node, path, problems, "");
    }

    @Override
    public Object plain(E value) {
      return written(value);
    }

    private static String written(Enum<?> constant) {
      return constant.name().toLowerCase(Locale.ROOT);
    }
  }

  private record ListType<T>(KeyType<T> item, String items) implements KeyType<List<T>> {
    @Override
    public String describe() {
      return "a list of " + items;
    }

    @Override
    public Optional<List<T>> read(Node node, String path, Problems problems) {
      if (!(node instanceof Sequence list)) {
        return mismatch(node, path, problems, "");
      }
      if (list.items().isEmpty()) {
        problems.add(node.place(), path, "expected " + describe() + ", got an empty list");
        return Optional.empty();
      }
      List<T> values = new ArrayList<>();
      for (int i = 0; i < list.items().size(); i++) {
        item.read(list.items().get(i), path + "." + i, problems).ifPresent(values::add);
      }
      boolean complete = values.size() == list.items().size();
      return complete ? Optional.of(List.copyOf(values)) : Optional.empty();
    }

    @Override
    public Object plain(List<T> value) {
      return value.stream().map(item::plain).toList();
    }
  }

  private record MapType<T>(KeyType<T> value, String entries) implements KeyType<Map<String, T>> {
    @Override
    public String describe() {
      return entries;
    }

    @Override
    public Optional<Map<String, T>> read(Node node, String path, Problems problems) {
      if (!(node instanceof Mapping mapping) || mapping.entries().isEmpty()) {
        return mismatch(node, path, problems, "");
      }
      Map<String, T> values = new LinkedHashMap<>();
      for (Node.Entry e : mapping.entries()) {
        Optional<T> read = value.read(e.value(), path + "." + e.key(), problems);
        if (read.isEmpty()) {
          return Optional.empty();
        }
        if (values.put(e.key(), read.get()) != null) {
          problems.add(e.place(), path + "." + e.key(), "duplicate key; remove one");
          return Optional.empty();
        }
      }
      return Optional.of(Collections.unmodifiableMap(values));
    }

    @Override
    public Object plain(Map<String, T> values) {
      Map<String, Object> plain = new LinkedHashMap<>();
      values.forEach((key, v) -> plain.put(key, value.plain(v)));
      return plain;
    }
  }

  private record Section<R>(Schema<R> schema) implements KeyType<R> {
    @Override
    public String describe() {
      return "a group of keys (" + schema.exampleKeys() + ")";
    }

    @Override
    public Optional<R> read(Node node, String path, Problems problems) {
      return node instanceof Mapping mapping
          ? schema.read(mapping, path, problems)
          : mismatch(node, path, problems, "");
    }

    @Override
    public Object plain(R value) {
      return schema.plain(value);
    }
  }
}
