package dev.nibble.jinja;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Upper and lower case as Python has them, in linear time. Java's own methods look for the borders
 * of words at each capital sigma.
 */
final class CaseMapping {
  private static final int CAPITAL_SIGMA = 0x3a3;
  private static final String SIGMA = "\u03c3";
  private static final String FINAL_SIGMA = "\u03c2";

  /** What becomes of code points that become several, such as ß. */
  private static final Map<Integer, String> UPPER = new HashMap<>();

  private static final Map<Integer, String> LOWER = new HashMap<>();

  static {
    for (int c = 0x80; c <= Character.MAX_VALUE; c++) {
      if (Character.isSurrogate((char) c) || !Character.isDefined(c)) {
        continue;
      }
      String letter = Character.toString(c);
      String upper = letter.toUpperCase(Locale.ROOT);
      if (upper.length() > 1) {
        UPPER.put(c, upper);
      }
      String lower = letter.toLowerCase(Locale.ROOT);
      if (lower.length() > 1) {
        LOWER.put(c, lower);
      }
    }
  }

  private CaseMapping() {}

  static String upper(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints().forEach(c -> addUpper(c, out));
    return out.toString();
  }

  static void addUpper(int c, StringBuilder out) {
    String several = c < 0x80 ? null : UPPER.get(c);
    if (several == null) {
      out.appendCodePoint(Character.toUpperCase(c));
    } else {
      out.append(several);
    }
  }

  static void addLower(int c, StringBuilder out) {
    String several = c < 0x80 ? null : LOWER.get(c);
    if (several == null) {
      out.appendCodePoint(Character.toLowerCase(c));
    } else {
      out.append(several);
    }
  }

  /** A capital sigma at the end of a word has a form of its own. */
  static String lower(String text) {
    StringBuilder out = new StringBuilder(text.length());
    boolean afterLetter = false;
    int looked = 0; // to here, no letter that counts comes after the place that is read
    boolean beforeLetter = false;
    for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      if (c == CAPITAL_SIGMA) {
        if (looked <= i) {
          looked = i + 1;
          while (looked < text.length() && isIgnorable(text.codePointAt(looked))) {
            looked += Character.charCount(text.codePointAt(looked));
          }
          beforeLetter = looked < text.length() && isCased(text.codePointAt(looked));
        }
        out.append(afterLetter && !beforeLetter ? FINAL_SIGMA : SIGMA);
        afterLetter = true;
      } else {
        addLower(c, out);
        afterLetter = isIgnorable(c) ? afterLetter : isCased(c);
      }
    }
    return out.toString();
  }

  static boolean isCased(int c) {
    return Character.isLowerCase(c) || Character.isUpperCase(c) || Character.isTitleCase(c);
  }

  /** Unicode's Case_Ignorable: marks, modifiers, and signs within words. */
  private static boolean isIgnorable(int c) {
    return switch (c) {
      case '\'',
          '.',
          ':',
          0xb7,
          0x387,
          0x55f,
          0x5f4,
          0x2018,
          0x2019,
          0x2024,
          0x2027,
          0xfe13,
          0xfe52,
          0xfe55,
          0xff07,
          0xff0e,
          0xff1a ->
          true;
      default ->
          switch (Character.getType(c)) {
            case Character.NON_SPACING_MARK,
                Character.ENCLOSING_MARK,
                Character.FORMAT,
                Character.MODIFIER_LETTER,
                Character.MODIFIER_SYMBOL ->
                true;
            default -> false;
          };
    };
  }
}
