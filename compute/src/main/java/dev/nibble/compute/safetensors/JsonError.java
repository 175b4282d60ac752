package dev.nibble.compute.safetensors;

import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;

/** What is wrong with a piece of JSON, in one line. */
final class JsonError {
  private JsonError() {}

  static String of(JacksonException e) {
    TokenStreamLocation at = e.getLocation();
    String what = e.getOriginalMessage().lines().findFirst().orElse("unreadable");
    return at == null
        ? what
        : "%s (line %d, column %d)".formatted(what, at.getLineNr(), at.getColumnNr());
  }
}
