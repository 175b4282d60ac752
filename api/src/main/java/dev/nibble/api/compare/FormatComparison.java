package dev.nibble.api.compare;

import java.nio.file.Path;
import java.util.List;

/**
 * A comparison of weight formats.
 *
 * @param formats in the order in which they were asked for, the base as it is first
 * @param table in Markdown
 * @param picture as SVG: bits of a weight against perplexity
 */
public record FormatComparison(List<ComparedFormat> formats, Path table, Path picture) {
  /** Copies the list. */
  public FormatComparison {
    formats = List.copyOf(formats);
  }

  /** Whether everything that was asked for was measured. */
  public boolean isComplete() {
    return formats.stream().allMatch(f -> f.failure().isEmpty());
  }
}
