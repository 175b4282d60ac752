package dev.nibble.recipes.yaml;

/**
 * A place in a text; line and column count from 1.
 *
 * @param origin the text
 * @param line line
 * @param column column
 */
public record Place(Origin origin, int line, int column) {

  /** {@code file:line:column}, or just the option. */
  @Override
  public String toString() {
    return origin.hasLines() ? origin.name() + ":" + line + ":" + column : origin.name();
  }
}
