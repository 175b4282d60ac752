package dev.nibble.cli.terminal;

/**
 * Characters that a terminal obeys instead of showing: controls, with which escape codes begin, and
 * those that change the direction of text. Rows, templates, names of files and answers may hold
 * them, and whoever wrote those must not move the cursor, hide a line or change a window's title.
 */
final class ControlCharacters {
  private static final String LAYOUT = "\n\t";

  private ControlCharacters() {}

  /** A text in one line, each of these characters as JSON writes it, such as {@code \u001b}. */
  static String shown(String text) {
    return shown(text, "");
  }

  /** The same for a text of many lines: line breaks and tabs stay. */
  static String shownInLines(String text) {
    return shown(text, LAYOUT);
  }

  private static String shown(String text, String kept) {
    if (text.chars().noneMatch(ControlCharacters::isObeyed)) {
      return text;
    }
    StringBuilder shown = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isObeyed(c) && kept.indexOf(c) < 0) {
        shown.append(
            switch (c) {
              case '\n' -> "\\n";
              case '\r' -> "\\r";
              case '\t' -> "\\t";
              default -> "\\u%04x".formatted((int) c);
            });
      } else {
        shown.append(c);
      }
    }
    return shown.toString();
  }

  /** All are in the basic plane: no part of a surrogate pair is one. */
  private static boolean isObeyed(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
      case Character.FORMAT -> isDirection(c);
      default -> false;
    };
  }

  /** Unicode's property Bidi_Control. */
  private static boolean isDirection(int c) {
    return c == 0x061C
        || c == 0x200E
        || c == 0x200F
        || (c >= 0x202A && c <= 0x202E)
        || (c >= 0x2066 && c <= 0x2069);
  }
}
