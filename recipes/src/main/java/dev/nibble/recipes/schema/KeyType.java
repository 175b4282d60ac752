package dev.nibble.recipes.schema;

import dev.nibble.recipes.yaml.Node;
import java.util.Optional;

/**
 * Type of the values that a key may have.
 *
 * @param <T> what it is in Java
 */
public interface KeyType<T> {

  /** In words, to follow "expected": {@code a whole number of at least 1}. */
  String describe();

  /** Reads a value; when it does not fit, says so to {@code problems} and gives nothing. */
  Optional<T> read(Node node, String path, Problems problems);

  /** The value as text, number, boolean, or a list or map of these. */
  Object plain(T value);

  /** Adds "expected …, got …", with {@code advice} behind it. */
  default Optional<T> mismatch(Node node, String path, Problems problems, String advice) {
    problems.add(
        node.place(), path, "expected " + describe() + ", got " + node.describe() + advice);
    return Optional.empty();
  }
}
