package dev.nibble.data.tokenizer;

import dev.nibble.errors.text.BrokenText;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiFunction;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** JSON files of a model, with errors in our words instead of the library's. */
public final class ModelJson {
  private static final JsonMapper JSON = new JsonMapper();

  private ModelJson() {}

  /**
   * Reads a file; an empty object for one that is not there.
   *
   * @param error makes the error of a message and a cause
   */
  public static JsonNode read(Path file, BiFunction<String, Throwable, RuntimeException> error) {
    if (!Files.isRegularFile(file)) {
      return JSON.createObjectNode();
    }
    String text;
    try {
      text = Files.readString(file);
    } catch (CharacterCodingException e) {
      throw error.apply(file + ": is not UTF-8 text. Fetch the file again.", e);
    } catch (IOException e) {
      throw error.apply(file + ": cannot be read: " + e.getMessage(), e);
    }
    try {
      return JSON.readTree(text);
    } catch (JacksonException e) {
      throw error.apply(
          "%s: is not valid JSON: %s. Fetch the file again.".formatted(file, of(e, text)), e);
    }
  }

  /** Where a text is not what it should be. */
  static String of(JacksonException e, String text) {
    TokenStreamLocation at = e.getLocation();
    return BrokenText.at(text, at == null ? -1 : at.getCharOffset());
  }
}
