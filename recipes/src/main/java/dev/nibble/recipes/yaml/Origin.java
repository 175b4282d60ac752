package dev.nibble.recipes.yaml;

import java.nio.file.Path;

/**
 * Origin of a YAML text.
 *
 * @param name as messages show it: the file as the user wrote it, or {@code --set key=value}
 * @param folder base of relative paths in the text
 * @param hasLines whether line and column mean something to the user
 */
public record Origin(String name, Path folder, boolean hasLines) {

  /** A file: its paths are relative to its own folder. */
  public static Origin file(Path file) {
    Path parent = file.toAbsolutePath().normalize().getParent();
    return new Origin(file.toString(), parent == null ? file.toAbsolutePath() : parent, true);
  }

  /** Text without lines, such as an option: its paths are relative to the working directory. */
  public static Origin option(String text) {
    return new Origin(text, Path.of("").toAbsolutePath(), false);
  }
}
