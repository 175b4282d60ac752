package dev.nibble.jinja;

import java.util.List;

/**
 * Output of a template.
 *
 * @param text the text
 * @param generated the text between each {@code {% generation %}} and its end, in order
 */
public record Rendering(String text, List<Span> generated) {
  public Rendering {
    generated = List.copyOf(generated);
  }
}
