package dev.nibble.api.fuzz;

import java.nio.file.Path;
import java.util.List;

/**
 * A reader and the files that it is given in damaged form.
 *
 * @param name of the target
 * @param file the name of the damaged file in its folder
 * @param text whether the file is text, or has text in it
 * @param seeds sound files, and files that failed once
 * @param beside files that lie in the same folder, as they are
 * @param reader reads the folder
 */
record FuzzTarget(
    String name,
    String file,
    boolean text,
    List<byte[]> seeds,
    List<Beside> beside,
    Reader reader) {
  FuzzTarget {
    seeds = List.copyOf(seeds);
    beside = List.copyOf(beside);
  }

  /** A file and its name in the folder. */
  record Beside(String name, Path file) {}

  /** Reads a folder. Anything but a return or a {@code NibbleException} is a fault. */
  @FunctionalInterface
  interface Reader {
    void read(Path folder) throws Exception;
  }
}
