package dev.nibble.api.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A source of damaged files. It knows two kinds of structure: little-endian numbers at aligned
 * places, and tokens of text (words, numbers, quoted strings, brackets), which it exchanges,
 * doubles, drops and replaces by hostile ones.
 */
final class Mutator {
  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    2,
    7,
    127,
    128,
    255,
    256,
    65_535,
    1 << 20,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    Integer.MAX_VALUE + 1L,
    1L << 40,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };
  private static final List<String> TEXTS =
      List.of(
          "null",
          "true",
          "false",
          "0",
          "-1",
          "1e999",
          "NaN",
          "-Infinity",
          "2147483648",
          "9223372036854775808",
          "0.1",
          "\"\"",
          "\"x\"",
          "\"\\ud800\"",
          "\"\\u0000\"",
          "\"../../x\"",
          "\"\u001b[31m\"",
          "[]",
          "{}",
          "[[[[[[[[",
          "{\"a\":",
          ",",
          ":",
          "\n",
          "\ufeff",
          "\ud83d\ude00",
          "x".repeat(5000),
          "[".repeat(3000),
          "{{",
          "}}",
          "{%",
          "%}",
          "- ",
          "&a *a",
          "!!java.lang.Object",
          "? ",
          "|",
          "#");
  private static final Pattern TOKEN =
      Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*+\"|[\\p{L}_]+|-?\\d[\\d.eE+-]*+|\\s+|.");

  private final RandomGenerator random;
  private final List<byte[]> seeds;
  private final boolean text;

  /**
   * Damages seeds.
   *
   * @param text whether they are text, or have text in them
   */
  Mutator(RandomGenerator random, List<byte[]> seeds, boolean text) {
    this.random = random;
    this.seeds = seeds;
    this.text = text;
  }

  byte[] next() {
    byte[] bytes = seed().clone();
    int changes = 1 + random.nextInt(random.nextInt(4) == 0 ? 8 : 2);
    for (int i = 0; i < changes; i++) {
      bytes = text && random.nextInt(3) > 0 ? changedText(bytes) : changedBytes(bytes);
    }
    return bytes;
  }

  private byte[] seed() {
    return seeds.get(random.nextInt(seeds.size()));
  }

  private byte[] changedBytes(byte[] bytes) {
    if (bytes.length < 16) {
      return seed().clone();
    }
    int at = random.nextInt(bytes.length);
    switch (random.nextInt(8)) {
      case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> bytes[at] = (byte) random.nextInt(256);
      case 2, 3 -> {
        int width = 1 << random.nextInt(4);
        long value =
            random.nextInt(3) == 0
                ? random.nextInt(64) - 16
                : NUMBERS[random.nextInt(NUMBERS.length)];
        at = Math.min(at & -width, bytes.length - width);
        for (int i = 0; i < width; i++) {
          bytes[at + i] = (byte) (value >> (8 * i));
        }
      }
      case 4 -> {
        return Arrays.copyOf(bytes, at);
      }
      case 5 -> {
        int end = Math.min(bytes.length, at + 1 + random.nextInt(64));
        return join(bytes, 0, at, bytes, end, bytes.length);
      }
      case 6 -> {
        int end = Math.min(bytes.length, at + 1 + random.nextInt(64));
        return join(bytes, 0, end, bytes, at, bytes.length);
      }
      default -> {
        byte[] other = seed();
        int from = (int) ((long) at * other.length / bytes.length);
        return join(bytes, 0, at, other, from, other.length);
      }
    }
    return bytes;
  }

  private byte[] changedText(byte[] bytes) {
    String all = new String(bytes, StandardCharsets.ISO_8859_1);
    int from = all.length() < 4000 ? 0 : random.nextInt(all.length() - 2000);
    String part = all.substring(from, Math.min(all.length(), from + 4000));
    List<MatchResult> tokens = TOKEN.matcher(part).results().toList();
    if (tokens.isEmpty()) {
      return bytes;
    }
    MatchResult token = tokens.get(random.nextInt(tokens.size()));
    MatchResult other = tokens.get(random.nextInt(tokens.size()));
    String put =
        switch (random.nextInt(6)) {
          case 0 -> "";
          case 1 -> token.group() + token.group();
          case 2 -> other.group();
          case 3 -> token.group() + other.group();
          default ->
              new String(
                  TEXTS.get(random.nextInt(TEXTS.size())).getBytes(StandardCharsets.UTF_8),
                  StandardCharsets.ISO_8859_1);
        };
    String changed =
        all.substring(0, from + token.start()) + put + all.substring(from + token.end());
    return changed.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] join(byte[] a, int aFrom, int aTo, byte[] b, int bFrom, int bTo) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(a, aFrom, aTo - aFrom);
    out.write(b, bFrom, Math.max(0, bTo - bFrom));
    return out.toByteArray();
  }
}
