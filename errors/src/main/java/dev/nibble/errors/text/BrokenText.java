package dev.nibble.errors.text;

/**
 * Description of a text that a parser could not read to its end: where it stopped, and before what.
 * The parser's own words are for programmers.
 */
public final class BrokenText {
  private static final int MOST_SHOWN = 24;

  private BrokenText() {}

  /**
   * The description.
   *
   * @param offset characters before the place where the parser stopped; negative when it does not
   *     know
   */
  public static String at(String text, long offset) {
    if (offset < 0) {
      return "a value in it cannot be understood";
    }
    int at = (int) Math.min(offset, text.length());
    String before = text.substring(0, at);
    long line = before.chars().filter(c -> c == '\n').count() + 1;
    int lineStart = before.lastIndexOf('\n') + 1;
    int column = before.codePointCount(lineStart, at) + 1;
    return text.substring(at).isBlank()
        ? "it ends too early, at line %d, column %d".formatted(line, column)
        : "at line %d, column %d came %s, which cannot stand there"
            .formatted(line, column, next(text, at));
  }

  private static String next(String text, int at) {
    int c = text.codePointAt(at);
    if (c == '\n' || c == '\r') {
      return "the end of the line";
    }
    if (Character.isISOControl(c)) {
      return "the control character U+%04X".formatted(c);
    }
    int end = at;
    while (end < text.length()
        && end - at < MOST_SHOWN
        && !Character.isISOControl(text.charAt(end))) {
      end++;
    }
    return text.substring(at, end).strip();
  }
}
