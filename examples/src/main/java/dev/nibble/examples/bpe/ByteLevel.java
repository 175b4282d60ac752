package dev.nibble.examples.bpe;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * GPT-2's pre-tokenization: text is cut into pieces, whose UTF-8 bytes are written as visible
 * letters.
 */
final class ByteLevel {
  /**
   * English contractions, then words, numbers and signs with at most one space before, then spaces.
   */
  private static final Pattern PIECE =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  private static final char[] LETTER_OF_BYTE = letters();

  private ByteLevel() {}

  /** The pieces of {@code text}, as plain text. */
  static List<String> pieces(String text) {
    return PIECE.matcher(text).results().map(MatchResult::group).toList();
  }

  /** The letters of the bytes of {@code piece}. */
  static String letters(String piece) {
    byte[] utf8 = piece.getBytes(StandardCharsets.UTF_8);
    StringBuilder letters = new StringBuilder(utf8.length);
    for (byte b : utf8) {
      letters.append(LETTER_OF_BYTE[b & 0xff]);
    }
    return letters.toString();
  }

  /** The 256 letters, in the order of their code points. */
  static List<String> alphabet() {
    return new String(LETTER_OF_BYTE).chars().sorted().mapToObj(Character::toString).toList();
  }

  /**
   * Printable bytes of Latin-1 stand for themselves; the others take the code points from 256 on.
   */
  private static char[] letters() {
    char[] letters = new char[256];
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      letters[b] = (char) (printable ? b : next++);
    }
    return letters;
  }
}
