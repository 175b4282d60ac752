package dev.nibble.api.text;

import java.nio.file.Path;

/** Short forms of paths, for messages. */
public final class Paths {
  private Paths() {}

  /** Relative to the working directory when the path is inside it. */
  public static String shown(Path path) {
    Path here = Path.of("").toAbsolutePath();
    Path absolute = path.toAbsolutePath().normalize();
    return absolute.startsWith(here) && !absolute.equals(here)
        ? here.relativize(absolute).toString()
        : absolute.toString();
  }
}
