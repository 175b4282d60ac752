package dev.nibble.compute.kernels;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The processor as the operating system describes it.
 *
 * @param name its model; where the system gives none, the architecture that Java gives
 * @param flags its instruction sets as Linux calls them, for example {@code avx512f} or {@code
 *     bf16}; none on Windows
 */
public record Processor(String name, Set<String> flags) {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");
  // A feature of an Arm processor, as macOS names it: hw.optional.arm.FEAT_BF16: 1
  private static final String MAC_FEATURE = "hw.optional.arm.FEAT_";
  private static final String MAC_NAME = "machdep.cpu.brand_string";

  /** Asked of the system once: macOS answers through a process. */
  private static final class Here {
    static final Processor PROCESSOR =
        switch (Platform.here().os()) {
          case LINUX, OTHER -> read(CPUINFO);
          case MAC -> ofMac(sysctl());
          case WINDOWS -> ofWindows(System.getenv().getOrDefault("PROCESSOR_IDENTIFIER", ""));
        };
  }

  /** A processor. */
  public Processor {
    flags = Set.copyOf(flags);
  }

  /** This machine's. */
  public static Processor here() {
    return Here.PROCESSOR;
  }

  /** The first processor of a file like {@code /proc/cpuinfo}, which may be missing. */
  public static Processor read(Path cpuinfo) {
    List<String> lines = lines(cpuinfo);
    String name =
        value(lines, "model name").or(() -> armName(lines)).orElseGet(Processor::architecture);
    String flags = value(lines, "flags").or(() -> value(lines, "Features")).orElse("");
    return new Processor(name, flags.isEmpty() ? Set.of() : Set.of(flags.split("\\s+")));
  }

  /** What {@code sysctl} prints about a Mac's processor, a line for each value. */
  static Processor ofMac(List<String> sysctl) {
    Set<String> flags =
        sysctl.stream()
            .filter(line -> line.startsWith(MAC_FEATURE) && line.endsWith(": 1"))
            .map(line -> line.substring(MAC_FEATURE.length(), line.indexOf(':')))
            .map(feature -> feature.toLowerCase(Locale.ROOT))
            .collect(Collectors.toSet());
    return new Processor(value(sysctl, MAC_NAME).orElseGet(Processor::architecture), flags);
  }

  /** What Windows has in its variable {@code PROCESSOR_IDENTIFIER}. */
  static Processor ofWindows(String identifier) {
    return new Processor(identifier.isBlank() ? architecture() : identifier.strip(), Set.of());
  }

  /** Linux gives an Arm processor numbers: of the company, and of its model. */
  private static Optional<String> armName(List<String> lines) {
    return value(lines, "CPU implementer")
        .flatMap(implementer ->
            value(lines, "CPU part")
                .map(part ->
                    "%s, implementer %s, part %s".formatted(architecture(), implementer, part)));
  }

  private static String architecture() {
    return System.getProperty("os.arch");
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException | UncheckedIOException e) {
      return List.of(); // Not Linux.
    }
  }

  private static List<String> sysctl() {
    try {
      Process process =
          new ProcessBuilder("/usr/sbin/sysctl", MAC_NAME, "hw.optional.arm")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (var out = process.inputReader(StandardCharsets.UTF_8)) {
        return out.readAllLines();
      }
    } catch (IOException e) {
      return List.of();
    }
  }

  private static Optional<String> value(List<String> lines, String key) {
    return lines.stream()
        .filter(line -> line.startsWith(key))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst();
  }
}
