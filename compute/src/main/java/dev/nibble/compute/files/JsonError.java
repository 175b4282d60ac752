package dev.nibble.compute.safetensors;

import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;

/** A one-line description of an error in JSON. */
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
