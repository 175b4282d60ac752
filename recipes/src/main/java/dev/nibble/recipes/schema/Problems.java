package dev.nibble.recipes.schema;

import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Place;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The problems of a recipe, collected so that the user sees all of them at once, and notes. */
public final class Problems {
  private final List<Problem> all = new ArrayList<>();
  private final List<Problem> notes = new ArrayList<>();

  /** Adds one. */
  public void add(Place place, String key, String message) {
    all.add(new Problem(place, key, message));
  }

  /** Adds a note on something that is not wrong, such as a key that is ignored. */
  public void note(Place place, String key, String message) {
    notes.add(new Problem(place, key, message));
  }

  /** Adds what another one holds. */
  void addAll(Problems other) {
    all.addAll(other.all);
    notes.addAll(other.notes);
  }

  /** Whether nothing is wrong so far. */
  public boolean none() {
    return all.isEmpty();
  }

  /** All, in the order of the text; those of options last. */
  public List<Problem> inOrder() {
    return inOrder(all);
  }

  /** All notes, in the order of the text. */
  public List<Problem> notes() {
    return inOrder(notes);
  }

  private static List<Problem> inOrder(List<Problem> all) {
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
