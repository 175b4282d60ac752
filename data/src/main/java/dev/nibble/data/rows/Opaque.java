package dev.nibble.data.rows;

/**
 * A value that has no text form, such as bytes. It stands in a row so that an error can name it
 * where it is asked for, and nowhere else.
 *
 * @param type the type of its column, for messages
 */
public record Opaque(String type) {
  @Override
  public String toString() {
    return "a value of type " + type;
  }
}
