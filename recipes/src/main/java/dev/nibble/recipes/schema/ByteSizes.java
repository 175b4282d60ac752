package dev.nibble.recipes.schema;

import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Scalar;
import dev.nibble.recipes.yaml.Node.Scalar.Kind;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Numbers of bytes as people write them: {@code 5GB}, {@code 512MiB}, {@code 5000000000}. As in
 * transformers, GB is 10^9 bytes and GiB 2^30.
 */
public final class ByteSizes {
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

  // Fewer bytes than this are hardly meant: 16 is 16 GiB to whoever writes it.
  private static final long LEAST_WITHOUT_UNIT = 1_000_000;

  private ByteSizes() {}

  /**
   * Reads a size.
   *
   * @throws IllegalArgumentException for what is none, is 0, or is more than 2^63 bytes; says which
   */
  public static long parse(String text) {
    Matcher matcher = TEXT.matcher(text.strip().toLowerCase(Locale.ROOT));
    String unit = matcher.matches() && matcher.group(2) != null ? matcher.group(2) : "b";
    Long factor = UNITS.get(unit);
    if (!matcher.matches() || factor == null) {
      throw new IllegalArgumentException("'" + text + "' is no size; write 5GB or 512MiB");
    }
    try {
      long bytes = Math.multiplyExact(Long.parseLong(matcher.group(1)), factor);
      if (matcher.group(2) == null && bytes > 0 && bytes < LEAST_WITHOUT_UNIT) {
        throw new IllegalArgumentException(
            "'%s' has no unit; write %sGiB or %sMiB, or %sB for bytes"
                .formatted(text, text.strip(), text.strip(), text.strip()));
      }
      if (bytes < 1) {
        throw new IllegalArgumentException("a size must be at least 1 byte, got '" + text + "'");
      }
      return bytes;
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("'" + text + "' is more than 2^63 bytes", e);
    }
  }

  /** A size of at least one byte. */
  public static KeyType<Long> size() {
    return new Size();
  }

  private record Size() implements KeyType<Long> {
    @Override
    public String describe() {
      return "a size such as 256MB or 1GiB";
    }

    @Override
    public Optional<Long> read(Node node, String path, Problems problems) {
      if (node instanceof Scalar s && (s.kind() == Kind.TEXT || s.kind() == Kind.WHOLE_NUMBER)) {
        try {
          return Optional.of(parse(s.text()));
        } catch (IllegalArgumentException e) {
          return mismatch(node, path, problems, "");
        }
      }
      return mismatch(node, path, problems, "");
    }

    @Override
    public Object plain(Long bytes) {
      for (String unit : new String[] {"GiB", "GB", "MiB", "MB", "KiB", "KB"}) {
        long factor = parse("1" + unit);
        if (bytes % factor == 0) {
          return bytes / factor + unit;
        }
      }
      return bytes;
    }
  }
}
