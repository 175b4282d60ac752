package dev.nibble.cli.chat;

import dev.nibble.data.json.InvalidJson;
import dev.nibble.data.json.JsonReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A file with a JSON list of functions that a model may call. */
public final class ToolsFile {
  private ToolsFile() {}

  /**
   * The schemas of the functions.
   *
   * @throws InvalidInput when the file holds anything else
   */
  public static List<?> read(Path file) {
    Object parsed;
    try {
      parsed = JsonReader.parse(Files.readString(file));
    } catch (InvalidJson e) {
      throw new InvalidInput(
          "%s, line %d, column %d: %s".formatted(file, e.line(), e.column(), e.problem()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (!(parsed instanceof List<?> schemas)
        || !schemas.stream().allMatch(schema -> schema instanceof Map<?, ?>)) {
      throw new InvalidInput(
          "%s: expected a list of tool schemas, such as [{\"type\": \"function\", \"function\": {…}}]"
              .formatted(file));
    }
    return schemas;
  }
}
