package dev.nibble.compute.kernels;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The processor as Linux describes it.
 *
 * @param name its model; elsewhere the architecture that Java gives
 * @param flags its instruction sets as Linux calls them, for example {@code avx512f}; elsewhere
 *     none
 */
public record Processor(String name, Set<String> flags) {

  /** A processor. */
  public Processor {
    flags = Set.copyOf(flags);
  }

  /** This machine's. */
  public static Processor here() {
    return read(Path.of("/proc/cpuinfo"));
  }

  /** The first processor of a file like {@code /proc/cpuinfo}, which may be missing. */
  public static Processor read(Path cpuinfo) {
    List<String> lines = lines(cpuinfo);
    String name = value(lines, "model name").orElseGet(() -> System.getProperty("os.arch"));
    String flags = value(lines, "flags").orElse("");
    return new Processor(name, flags.isEmpty() ? Set.of() : Set.of(flags.split("\\s+")));
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException | UncheckedIOException e) {
      return List.of(); // Not Linux.
    }
  }

  private static Optional<String> value(List<String> lines, String key) {
    return lines.stream()
        .filter(line -> line.startsWith(key))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst();
  }
}
