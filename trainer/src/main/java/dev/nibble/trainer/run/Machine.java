package dev.nibble.trainer.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Where a run happened.
 *
 * @param jdk vendor and version
 * @param os name, version and architecture
 * @param cpu its name
 * @param cores that Java may use
 */
public record Machine(String jdk, String os, String cpu, int cores) {

  /** This one. */
  public static Machine current() {
    return new Machine(
        System.getProperty("java.vendor") + " " + Runtime.version(),
        "%s %s %s"
            .formatted(
                System.getProperty("os.name"),
                System.getProperty("os.version"),
                System.getProperty("os.arch")),
        cpuName(Path.of("/proc/cpuinfo")),
        Runtime.getRuntime().availableProcessors());
  }

  /** Linux tells it in a file; elsewhere the architecture must do. */
  static String cpuName(Path cpuinfo) {
    if (Files.isReadable(cpuinfo)) {
      try (Stream<String> lines = Files.lines(cpuinfo, StandardCharsets.UTF_8)) {
        return lines
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse(System.getProperty("os.arch"));
      } catch (IOException e) {
        return System.getProperty("os.arch");
      }
    }
    return System.getProperty("os.arch");
  }
}
