package dev.nibble.jinja;

import java.util.function.IntPredicate;

/** Python's idea of characters, which are code points. */
final class Characters {
  private Characters() {}

  /** What {@code str.isspace}, {@code str.strip} and {@code \s} take for white space. */
  static boolean isSpace(int c) {
    return switch (c) {
      case ' ', '\t', '\n', '\r', '\f', 0x0b, 0x1c, 0x1d, 0x1e, 0x1f, 0x85, 0xa0 -> true;
      default -> c > 0xff && Character.isSpaceChar(c);
    };
  }

  /** What {@code repr} shows as it is. */
  static boolean isPrintable(int c) {
    if (c == ' ') {
      return true;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }

  /** Where {@code str.splitlines} ends a line. */
  static boolean endsLine(int c) {
    return switch (c) {
      case '\n', '\r', 0x0b, '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029 -> true;
      default -> false;
    };
  }

  static String stripStart(String text, IntPredicate stripped) {
    int at = 0;
    while (at < text.length() && stripped.test(text.codePointAt(at))) {
      at += Character.charCount(text.codePointAt(at));
    }
    return text.substring(at);
  }

  static String stripEnd(String text, IntPredicate stripped) {
    int end = text.length();
    while (end > 0 && stripped.test(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(0, end);
  }

  /** The order of code points, which is not that of UTF-16 units. */
  static int compare(String a, String b) {
    int at = 0;
    while (at < a.length() && at < b.length() && a.charAt(at) == b.charAt(at)) {
      at++;
    }
    if (at == a.length() || at == b.length()) {
      return Integer.compare(a.length(), b.length());
    }
    boolean inside = at > 0 && Character.isHighSurrogate(a.charAt(at - 1));
    int place = inside ? at - 1 : at;
    return Integer.compare(a.codePointAt(place), b.codePointAt(place));
  }
}
