package dev.nibble.recipes.schema;

import dev.nibble.recipes.yaml.Place;

/**
 * One thing wrong in a recipe.
 *
 * @param place its place in the recipe
 * @param key the key it is about, dotted when nested; empty when about the whole
 * @param message what was expected, what was found, and what to do
 */
public record Problem(Place place, String key, String message) {
  @Override
  public String toString() {
    return place + ": " + (key.isEmpty() ? "" : key + ": ") + message;
  }
}
