package dev.nibble.recipes.cli;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A number of bytes as people write it: {@code 5GB}, {@code 512MiB}, {@code 1000}. As in
 * transformers, GB is 10^9 bytes and GiB 2^30.
 */
record ByteSize(long bytes) {
  private static final Pattern TEXT = Pattern.compile("(\\d{1,12})\\s*([kmgt]?i?b)?");
  private static final Map<String, Long> UNITS =
      Map.of(
          "b", 1L,
          "kb", 1_000L,
          "mb", 1_000_000L,
          "gb", 1_000_000_000L,
          "tb", 1_000_000_000_000L,
          "kib", 1L << 10,
          "mib", 1L << 20,
          "gib", 1L << 30,
          "tib", 1L << 40);

  static ByteSize parse(String text) {
    Matcher matcher = TEXT.matcher(text.strip().toLowerCase(Locale.ROOT));
    String unit = matcher.matches() && matcher.group(2) != null ? matcher.group(2) : "b";
    Long factor = UNITS.get(unit);
    if (!matcher.matches() || factor == null) {
      throw new TypeConversionException("'" + text + "' is no size; write 5GB or 512MiB");
    }
    try {
      long bytes = Math.multiplyExact(Long.parseLong(matcher.group(1)), factor);
      if (bytes < 1) {
        throw new TypeConversionException("a size must be at least 1 byte, got '" + text + "'");
      }
      return new ByteSize(bytes);
    } catch (ArithmeticException e) {
      throw new TypeConversionException("'" + text + "' is more than 2^63 bytes");
    }
  }

  /** For picocli. */
  static final class Converter implements ITypeConverter<ByteSize> {
    @Override
    public ByteSize convert(String text) {
      return parse(text);
    }
  }
}
