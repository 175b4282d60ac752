package dev.nibble.compute.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads files that hold one JSON object. What is wrong with one is an error of the caller's kind,
 * which names the file and the place in it.
 */
public final class JsonObjects {
  private JsonObjects() {}

  /**
   * The object of a file.
   *
   * @param error makes an exception of its message
   */
  public static <E extends RuntimeException> ObjectNode read(Path file, Function<String, E> error) {
    try {
      return parse(file, Files.readString(file), error);
    } catch (IOException e) {
      throw because(e, error.apply("cannot read %s: %s".formatted(file, FileProblem.of(e))));
    }
  }

  /** The object of a text that {@code file} holds, or would. */
  public static <E extends RuntimeException> ObjectNode parse(
      Path file, String text, Function<String, E> error) {
    try {
      if (JsonMapper.shared().readTree(text) instanceof ObjectNode object) {
        return object;
      }
    } catch (JacksonException e) {
      throw because(
          e, error.apply("%s is not valid JSON: %s".formatted(file, JsonError.of(e, text))));
    }
    throw error.apply(file + " does not hold a JSON object");
  }

  private static <E extends RuntimeException> E because(Exception cause, E problem) {
    problem.initCause(cause);
    return problem;
  }
}
