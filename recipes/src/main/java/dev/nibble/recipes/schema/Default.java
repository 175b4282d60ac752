package dev.nibble.recipes.schema;

import java.util.Optional;

/**
 * Value of a key that the recipe leaves out.
 *
 * @param <T> the key's type
 */
public sealed interface Default<T> {

  /** None: the key is required. */
  static <T> Default<T> required() {
    return new Required<>();
  }

  /** This value. */
  static <T> Default<T> value(T value) {
    return new Value<>(value);
  }

  /** No value; the words say what happens then. */
  static <T> Default<T> otherwise(String words) {
    return new Otherwise<>(words);
  }

  /** The value, when there is one. */
  default Optional<T> fallback() {
    return this instanceof Value<T>(T value) ? Optional.of(value) : Optional.empty();
  }

  /** See {@link Default#required()}. */
  record Required<T>() implements Default<T> {}

  /** See {@link Default#value}. */
  record Value<T>(T value) implements Default<T> {}

  /** See {@link Default#otherwise}. */
  record Otherwise<T>(String words) implements Default<T> {}
}
