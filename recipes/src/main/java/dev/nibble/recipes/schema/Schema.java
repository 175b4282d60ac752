package dev.nibble.recipes.schema;

import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Entry;
import dev.nibble.recipes.yaml.Node.Mapping;
import dev.nibble.recipes.yaml.Node.Scalar;
import dev.nibble.recipes.yaml.Place;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The keys that a mapping may hold.
 *
 * @param <R> the record it becomes
 * @param groups the keys, in groups, in the order they are written and documented
 * @param checks rules between keys
 * @param build makes the record once every value is good
 */
public record Schema<R>(
    List<Group<R>> groups, List<Consumer<KeyValues<R>>> checks, Function<KeyValues<R>, R> build) {

  /**
   * Keys that belong together.
   *
   * @param title a heading
   * @param keys the keys
   */
  public record Group<R>(String title, List<Key<R, ?>> keys) {}

  /** All keys. */
  public List<Key<R, ?>> keys() {
    return groups.stream().<Key<R, ?>>flatMap(g -> g.keys().stream()).toList();
  }

  /** Reads a mapping; tells {@code problems} everything that is wrong and gives nothing then. */
  public Optional<R> read(Mapping mapping, String path, Problems problems) {
    Problems own = new Problems();
    KeyValues<R> values = new KeyValues<>(mapping.place(), path, own);
    Map<String, Entry> entries = entries(mapping, path, own);
    for (Key<R, ?> key : keys()) {
      read(key, Optional.ofNullable(entries.get(key.name())), mapping.place(), path, values, own);
    }
    checks.forEach(check -> check.accept(values));
    problems.addAll(own);
    return own.none() ? Optional.of(build.apply(values)) : Optional.empty();
  }

  private <T> void read(
      Key<R, T> key,
      Optional<Entry> entry,
      Place mapping,
      String path,
      KeyValues<R> values,
      Problems problems) {
    if (entry.isPresent() && !isNothing(entry.get().value())) {
      values.given(key, entry.get().place());
      key.type()
          .read(entry.get().value(), join(path, key.name()), problems)
          .ifPresent(v -> values.put(key, v));
      return;
    }
    key.fallback().fallback().ifPresent(v -> values.put(key, v));
    if (key.fallback() instanceof Default.Required<T>) {
      problems.add(
          entry.map(Entry::place).orElse(mapping),
          join(path, key.name()),
          "required key is missing: " + key.type().describe());
    }
  }

  /** {@code key:} with nothing behind it is as good as not written. */
  private static boolean isNothing(Node node) {
    return node instanceof Scalar s && s.kind() == Scalar.Kind.NOTHING;
  }

  private Map<String, Entry> entries(Mapping mapping, String path, Problems problems) {
    List<String> names = keys().stream().map(Key::name).toList();
    Map<String, Entry> entries = new HashMap<>();
    for (Entry e : mapping.entries()) {
      Entry earlier = entries.putIfAbsent(e.key(), e);
      if (earlier != null) {
        problems.add(
            e.place(),
            join(path, e.key()),
            "duplicate key, first given on line " + earlier.place().line() + "; remove one");
      } else if (!names.contains(e.key())) {
        unknown(e, mapping, join(path, e.key()), names, problems);
      }
    }
    return entries;
  }

  private static void unknown(
      Entry e, Mapping all, String key, List<String> names, Problems problems) {
    ForeignKeys.harmless(e, all)
        .ifPresentOrElse(
            reason -> problems.note(e.place(), key, "ignored: " + reason),
            () -> problems.add(e.place(), key, "unknown key" + OtherNames.advice(e.key(), names)));
  }

  /** The record as plain values by key, in order; keys that do not apply are left out. */
  public Map<String, Object> plain(R record) {
    Map<String, Object> plain = new LinkedHashMap<>();
    keys().forEach(key -> key.plain(record).ifPresent(v -> plain.put(key.name(), v)));
    return plain;
  }

  String exampleKeys() {
    return keys().stream().limit(3).map(Key::name).collect(Collectors.joining(", ", "", ", …"));
  }

  static String join(String path, String name) {
    return path.isEmpty() ? name : path + "." + name;
  }
}
