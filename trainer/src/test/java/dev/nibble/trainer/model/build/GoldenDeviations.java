package dev.nibble.trainer.model.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** The largest deviation of each kind that a run of the golden tests saw. */
final class GoldenDeviations {
  private static final String HEADER = "kernels\tcase\tvariant\twhat\tdeviation";

  private final Map<String, Double> largest = new ConcurrentSkipListMap<>();

  /**
   * @param name of a case, or case/variant
   * @param deviation relative to what the tolerance is relative to
   */
  void record(String set, String name, String what, double deviation) {
    String place = name.contains("/") ? name.replace('/', '\t') : name + "\tbase";
    largest.merge(String.join("\t", set, place, what), deviation, Math::max);
  }

  /** Writes a table of tab-separated values, made anew. */
  void write(Path file) throws IOException {
    List<String> lines = new ArrayList<>(List.of(HEADER));
    largest.forEach(
        (key, deviation) -> lines.add(key + String.format(Locale.ROOT, "\t%.2e", deviation)));
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.write(file, lines);
  }
}
