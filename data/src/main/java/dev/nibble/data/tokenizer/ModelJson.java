package dev.nibble.data.tokenizer;

import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;

/** A one-line description of an error in a JSON file of a model. */
public final class JsonFault {
  private JsonFault() {}

  /** With the line, where there is one: bytes that are no text have none. */
  public static String of(JacksonException e) {
    TokenStreamLocation at = e.getLocation();
    String what = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("unreadable");
    return at == null || at.getLineNr() < 1 ? what : "line %d: %s".formatted(at.getLineNr(), what);
  }
}
