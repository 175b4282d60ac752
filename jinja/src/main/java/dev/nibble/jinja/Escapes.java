package dev.nibble.jinja;

/** Backslashes in string literals, as in Python's. */
final class Escapes {
  private Escapes() {}

  static String resolve(String literal, Place place) {
    if (literal.indexOf('\\') < 0) {
      return literal;
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < literal.length(); i++) {
      char c = literal.charAt(i);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char escaped = literal.charAt(++i);
      switch (escaped) {
        case '\n' -> {}
        case '\\', '\'', '"' -> out.append(escaped);
        case 'a' -> out.append('\u0007');
        case 'b' -> out.append('\b');
        case 'f' -> out.append('\f');
        case 'n' -> out.append('\n');
        case 'r' -> out.append('\r');
        case 't' -> out.append('\t');
        case 'v' -> out.append('\u000b');
        case 'x' -> i = hex(literal, i, 2, out, place);
        case 'u' -> i = hex(literal, i, 4, out, place);
        case 'U' -> i = hex(literal, i, 8, out, place);
        case 'N' -> i = named(literal, i, out, place);
        case '0', '1', '2', '3', '4', '5', '6', '7' -> i = octal(literal, i, out);
        default -> out.append('\\').append(escaped);
      }
    }
    return out.toString();
  }

  private static int hex(String literal, int at, int digits, StringBuilder out, Place place) {
    int end = at + 1 + digits;
    String code = literal.substring(at + 1, Math.min(end, literal.length()));
    if (code.length() < digits || !code.chars().allMatch(c -> Character.digit(c, 16) >= 0)) {
      throw Failure.syntax(
          "the escape \\%s needs %d hexadecimal digits".formatted(literal.charAt(at), digits),
          place);
    }
    long point = Long.parseLong(code, 16);
    if (point > Character.MAX_CODE_POINT) {
      throw Failure.syntax("the escape \\U" + code + " is no Unicode character", place);
    }
    out.appendCodePoint((int) point);
    return end - 1;
  }

  private static int octal(String literal, int at, StringBuilder out) {
    int end = at;
    int point = 0;
    while (end < literal.length() && end < at + 3 && Character.digit(literal.charAt(end), 8) >= 0) {
      point = point * 8 + Character.digit(literal.charAt(end++), 8);
    }
    out.appendCodePoint(point);
    return end - 1;
  }

  private static int named(String literal, int at, StringBuilder out, Place place) {
    int end = literal.indexOf('}', at);
    if (end < 0 || literal.charAt(at + 1) != '{') {
      throw Failure.syntax("the escape \\N needs a name in braces", place);
    }
    String name = literal.substring(at + 2, end);
    try {
      out.appendCodePoint(Character.codePointOf(name));
    } catch (IllegalArgumentException e) {
      throw Failure.syntax("there is no character named '" + name + "'", place);
    }
    return end;
  }
}
