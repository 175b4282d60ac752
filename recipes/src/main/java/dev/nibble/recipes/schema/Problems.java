package dev.nibble.recipes.schema;

import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Place;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Everything that is wrong in a recipe, so that the user sees all of it at once. */
public final class Problems {
  private final List<Problem> all = new ArrayList<>();

  /** Adds one. */
  public void add(Place place, String key, String message) {
    all.add(new Problem(place, key, message));
  }

  /** Whether nothing is wrong so far. */
  public boolean none() {
    return all.isEmpty();
  }

  /** All, in the order of the text; those of options last. */
  public List<Problem> inOrder() {
    return all.stream()
        .sorted(
            Comparator.comparingInt((Problem p) -> p.place().origin().hasLines() ? 0 : 1)
                .thenComparingInt(p -> p.place().line())
                .thenComparingInt(p -> p.place().column()))
        .toList();
  }

  /** Problems of one key. */
  At at(String key) {
    return (node, message) -> add(node.place(), key, message);
  }

  /** Takes problems of one key. */
  @FunctionalInterface
  interface At {
    void add(Node node, String message);
  }
}
