package dev.nibble.compute.files;

import dev.nibble.errors.text.BrokenText;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;

/** Description of an error in JSON, in our words instead of the library's. */
public final class JsonError {
  private JsonError() {}

  /**
   * Where a text is not what it should be.
   *
   * @param text what was parsed
   */
  public static String of(JacksonException e, String text) {
    TokenStreamLocation at = e.getLocation();
    return BrokenText.at(text, at == null ? -1 : at.getCharOffset());
  }
}
