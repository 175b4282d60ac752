package dev.nibble.recipes.schema;

import dev.nibble.recipes.yaml.Place;
import java.util.HashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * Values of one mapping by key, defaults filled in. A value that could not be read is absent, and
 * so is one that has no default: checks look with {@link #find}.
 *
 * @param <R> the record to be built
 */
public final class KeyValues<R> {
  private final Map<Key<R, ?>, Object> values = new HashMap<>();
  private final Map<Key<R, ?>, Place> given = new HashMap<>();
  private final Place place;
  private final String path;
  private final Problems problems;

  KeyValues(Place place, String path, Problems problems) {
    this.place = place;
    this.path = path;
    this.problems = problems;
  }

  <T> void put(Key<R, T> key, T value) {
    values.put(key, value);
  }

  void given(Key<R, ?> key, Place at) {
    given.put(key, at);
  }

  /** The value, if there is one. */
  @SuppressWarnings("unchecked") // put() takes a T for a Key<R, T>
  public <T> Optional<T> find(Key<R, T> key) {
    return Optional.ofNullable((T) values.get(key));
  }

  /**
   * The value of a key that is required or has a default.
   *
   * @throws NoSuchElementException when there is none
   */
  public <T> T get(Key<R, T> key) {
    return find(key).orElseThrow(() -> new NoSuchElementException(key.name()));
  }

  /** Whether the recipe itself says it. */
  public boolean given(Key<R, ?> key) {
    return given.containsKey(key);
  }

  /** Whether the value is there and is this one. */
  public <T> boolean is(Key<R, T> key, T value) {
    return find(key).filter(value::equals).isPresent();
  }

  /** Reports a problem at a key. */
  public void problem(Key<R, ?> key, String message) {
    problems.add(given.getOrDefault(key, place), Schema.join(path, key.name()), message);
  }

  /** Reports a problem at each of these keys that the recipe gives. */
  @SafeVarargs
  public final void refuse(String message, Key<R, ?>... keys) {
    for (Key<R, ?> key : keys) {
      if (given(key)) {
        problem(key, message);
      }
    }
  }
}
