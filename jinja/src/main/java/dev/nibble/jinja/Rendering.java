package dev.nibble.jinja;

import java.util.List;

/**
 * What a template gives.
 *
 * @param text the text
 * @param generated what stood between {@code {% generation %}} and its end, in order
 */
public record Rendering(String text, List<Span> generated) {
  public Rendering {
    generated = List.copyOf(generated);
  }
}
