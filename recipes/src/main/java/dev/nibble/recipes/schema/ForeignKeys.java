package dev.nibble.recipes.schema;

import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Entry;
import dev.nibble.recipes.yaml.Node.Mapping;
import dev.nibble.recipes.yaml.Node.Scalar;
import dev.nibble.recipes.yaml.Node.Sequence;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Keys of other fine-tuning tools for what has no key here, as {@code foreign-keys.txt} lists them.
 * A value that asks for what Nibble does anyway, or that cannot change a result, is harmless: the
 * key is ignored with a note. Any other value is an error with advice.
 */
final class ForeignKeys {
  private static final Map<String, Foreign> BY_NAME = new HashMap<>();
  private static final List<Map.Entry<String, Foreign>> BY_START = new ArrayList<>();

  static {
    for (String entry : table().replaceAll("(?m)^#.*\n", "").strip().split("\n\n", -1)) {
      String[] lines = entry.split("\n", -1);
      Foreign foreign = new Foreign(lines[2], lines[3], List.of(lines[1].split(" ", -1)));
      for (String key : lines[0].split(" ", -1)) {
        if (key.endsWith("*")) {
          BY_START.add(Map.entry(key.substring(0, key.length() - 1), foreign));
        } else {
          BY_NAME.put(key, foreign);
        }
      }
    }
  }

  private ForeignKeys() {}

  private static String table() {
    try (InputStream in = ForeignKeys.class.getResourceAsStream("foreign-keys.txt")) {
      if (in == null) {
        throw new IllegalStateException("foreign-keys.txt is missing from Nibble's jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The entry of a key in the list.
   *
   * @param reason why there is no such key
   * @param remedy what to do instead
   * @param harmless values with which it is ignored
   */
  private record Foreign(String reason, String remedy, List<String> harmless) {
    boolean isHarmless(Node value, Mapping all) {
      return isNothing(value)
          || (harmless.stream().noneMatch(token -> isExcluded(token, all))
              && harmless.stream()
                  .anyMatch(allowed ->
                      switch (allowed) {
                        case "*" -> true;
                        case "{pad_token}" -> isPadToken(value);
                        case "{identity}" -> isIdentity(value);
                        default -> value instanceof Scalar s && s.text().equalsIgnoreCase(allowed);
                      }));
    }

    /** Whether a token such as {@code !x} stands for a key that is given too. */
    private static boolean isExcluded(String token, Mapping all) {
      return token.startsWith("!")
          && all.entries().stream()
              .anyMatch(e -> e.key().equals(token.substring(1)) && !isNothing(e.value()));
    }
  }

  /** Why a key may be ignored; empty when it is not known, or its value asks for something. */
  static Optional<String> harmless(Entry entry, Mapping all) {
    return find(entry.key()).filter(f -> f.isHarmless(entry.value(), all)).map(Foreign::reason);
  }

  /** Why there is no such key, and what to do; empty when it is not known. */
  static Optional<String> advice(String key) {
    return find(key).map(foreign -> foreign.reason() + "; " + foreign.remedy());
  }

  private static Optional<Foreign> find(String key) {
    return Optional.ofNullable(BY_NAME.get(key))
        .or(() ->
            BY_START.stream()
                .filter(e -> key.startsWith(e.getKey()))
                .map(Map.Entry::getValue)
                .findFirst());
  }

  private static boolean isNothing(Node value) {
    return switch (value) {
      case Scalar s -> s.kind() == Scalar.Kind.NOTHING || s.text().isBlank();
      case Sequence s -> s.items().isEmpty();
      case Mapping m -> m.entries().isEmpty();
    };
  }

  /** Padding alone, of which there is none. */
  private static boolean isPadToken(Node value) {
    return value instanceof Mapping m
        && m.entries().stream().allMatch(e -> e.key().equals("pad_token") || isNothing(e.value()));
  }

  private static boolean isIdentity(Node value) {
    return value instanceof Mapping m
        && m.entries().stream()
            .allMatch(e -> e.value() instanceof Scalar s && s.text().equals(e.key()));
  }
}
