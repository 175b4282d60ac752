package dev.nibble.cli.bench;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sizes of a step.
 *
 * @param seq tokens of a sample
 * @param microBatch samples of a step
 */
public record BenchSize(int seq, int microBatch) {
  private static final Pattern FORM = Pattern.compile("([1-9]\\d{0,6})(?:x([1-9]\\d{0,3}))?");

  /** {@code 512}, of one sample, or {@code 2048x4}, of four; empty for another text. */
  public static Optional<BenchSize> parse(String text) {
    Matcher m = FORM.matcher(text);
    return m.matches()
        ? Optional.of(
            new BenchSize(
                Integer.parseInt(m.group(1)),
                m.group(2) == null ? 1 : Integer.parseInt(m.group(2))))
        : Optional.empty();
  }

  int tokens() {
    return Math.multiplyExact(seq, microBatch);
  }

  @Override
  public String toString() {
    return seq + "x" + microBatch;
  }
}
