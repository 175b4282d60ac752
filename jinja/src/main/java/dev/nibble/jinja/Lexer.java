package dev.nibble.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splitter of a template into tokens, as in Jinja2 with trim_blocks and lstrip_blocks on and
 * keep_trailing_newline off: a line break after a block or comment tag goes, so does white space
 * before one that stands first on its line, and so does the last line break of the template.
 */
final class Lexer {
  private static final Pattern NUMBER =
      Pattern.compile(
          "(?<float>(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+))"
              + "|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?\\d)*|0(?:_?0)*");
  private static final Pattern RAW = Pattern.compile("\\{%[-+]?\\s*raw\\s*(?:-%}\\s*|%})");
  private static final Pattern END_RAW =
      Pattern.compile("\\{%([-+]?)\\s*endraw\\s*(?:\\+%}|-%}\\s*|%}\\n?)");
  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{",
          "}", ">", "<", "=", ".", ":", "|", ",", ";");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private final Deque<Character> open = new ArrayDeque<>();
  private int at;

  /** Line and column of {@link #seen}, which only moves forward. */
  private int line = 1;

  private int lineStart;
  private int seen;

  private Lexer(String source) {
    this.source = source;
  }

  /** The tokens, the last of them END. */
  static List<Token> tokens(String text) {
    String source = text.replace("\r\n", "\n").replace('\r', '\n');
    return new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source)
        .all();
  }

  private List<Token> all() {
    boolean lineStarts = true;
    while (at < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        data(source.substring(at), at);
        at = source.length();
        break;
      }
      char kind = source.charAt(tag + 1);
      char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
      data(stripped(source.substring(at, tag), sign, kind != '{', lineStarts), at);
      at = tag;
      switch (kind) {
        case '#' -> comment();
        case '%' -> block();
        default -> {
          add(TokenType.VARIABLE_BEGIN, "{{", tag);
          at += sign == '-' || sign == '+' ? 3 : 2;
          expression("}}", TokenType.VARIABLE_END);
        }
      }
      lineStarts = source.charAt(at - 1) == '\n';
    }
    add(TokenType.END, "", source.length());
    return List.copyOf(tokens);
  }

  private int nextTag() {
    for (int i = source.indexOf('{', at);
        i >= 0 && i + 1 < source.length();
        i = source.indexOf('{', i + 1)) {
      if ("{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  /** Text before a tag, without the white space that the tag takes with it. */
  private static String stripped(String text, char sign, boolean lstrip, boolean lineStarts) {
    if (sign == '-') {
      return Characters.stripEnd(text, Characters::isSpace);
    }
    if (sign != '+' && lstrip) {
      int start = text.lastIndexOf('\n') + 1;
      if ((start > 0 || lineStarts)
          && text.substring(start).codePoints().allMatch(Characters::isSpace)) {
        return text.substring(0, start);
      }
    }
    return text;
  }

  private void data(String text, int from) {
    if (!text.isEmpty()) {
      add(TokenType.DATA, text, from);
    }
  }

  private void comment() {
    boolean signed = source.startsWith("-", at + 2) || source.startsWith("+", at + 2);
    int text = at + (signed ? 3 : 2);
    int end = source.indexOf("#}", text);
    if (end < 0) {
      throw Failure.syntax("this comment has no end; expected '#}'", place(at));
    }
    char sign = source.charAt(end - 1);
    boolean own = end > text;
    at = end + 2;
    if (own && sign == '-') {
      skipSpace();
    } else if (!(own && sign == '+')) {
      skipNewline();
    }
  }

  private void block() {
    Matcher raw = RAW.matcher(source).region(at, source.length());
    if (raw.lookingAt()) {
      raw();
      return;
    }
    char sign = at + 2 < source.length() ? source.charAt(at + 2) : ' ';
    add(TokenType.BLOCK_BEGIN, "{%", at);
    at += sign == '-' || sign == '+' ? 3 : 2;
    expression("%}", TokenType.BLOCK_END);
  }

  private void raw() {
    int begin = at;
    at = source.indexOf("%}", at) + 2;
    if (source.charAt(at - 3) == '-') {
      skipSpace();
    }
    Matcher end = END_RAW.matcher(source);
    if (!end.find(at)) {
      throw Failure.syntax("this raw block has no end; expected {% endraw %}", place(begin));
    }
    char sign = end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0);
    String text = source.substring(at, end.start());
    data(stripped(text, sign, true, source.charAt(at - 1) == '\n'), at);
    at = end.start();
    at = source.indexOf("%}", at + 2) + 2;
    if (source.charAt(at - 3) == '-') {
      skipSpace();
    } else if (source.charAt(at - 3) != '+') {
      skipNewline();
    }
  }

  /** The tokens up to the closing tag, which does not count while a bracket is open. */
  private void expression(String close, TokenType end) {
    int begin = at;
    open.clear();
    while (true) {
      skipSpace();
      if (at >= source.length()) {
        throw Failure.syntax(
            "the tag that starts here has no end; expected '" + close + "'", place(begin));
      }
      if (open.isEmpty() && closes(close, end)) {
        return;
      }
      char c = source.charAt(at);
      if (c >= '0' && c <= '9') {
        number();
      } else if (c == '\'' || c == '"') {
        string(c);
      } else if (Character.isUnicodeIdentifierStart(source.codePointAt(at)) || c == '_') {
        name();
      } else {
        operator();
      }
    }
  }

  private boolean closes(String close, TokenType end) {
    char sign = source.charAt(at);
    boolean block = end == TokenType.BLOCK_END;
    boolean signed = sign == '-' || (block && sign == '+');
    if (!source.startsWith(close, signed ? at + 1 : at)) {
      return false;
    }
    add(end, close, at);
    at += close.length() + (signed ? 1 : 0);
    if (sign == '-') {
      skipSpace();
    } else if (block && sign != '+') {
      skipNewline();
    }
    return true;
  }

  private void number() {
    Matcher m = NUMBER.matcher(source).region(at, source.length());
    if (!m.lookingAt()) {
      throw Failure.syntax("this is no number", place(at));
    }
    boolean real = m.group("float") != null && (at == 0 || source.charAt(at - 1) != '.');
    String text = real || m.group("float") == null ? m.group() : digits();
    add(real ? TokenType.FLOAT : TokenType.INTEGER, text.replace("_", ""), at);
    at += text.length();
  }

  /** In {@code a.0.1} the numbers are two. */
  private String digits() {
    int end = at;
    while (end < source.length() && Character.isDigit(source.charAt(end))) {
      end++;
    }
    return source.substring(at, end);
  }

  private void string(char quote) {
    int end = at + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw Failure.syntax("the string that starts here has no end; expected " + quote, place(at));
    }
    Place place = place(at);
    tokens.add(
        new Token(TokenType.STRING, Escapes.resolve(source.substring(at + 1, end), place), place));
    at = end + 1;
  }

  private void name() {
    int end = at;
    while (end < source.length()
        && (Character.isUnicodeIdentifierPart(source.codePointAt(end)) || source.charAt(end) == '_')
        && !Character.isIdentifierIgnorable(source.codePointAt(end))) {
      end += Character.charCount(source.codePointAt(end));
    }
    add(TokenType.NAME, source.substring(at, end), at);
    at = end;
  }

  private void operator() {
    String operator =
        OPERATORS.stream()
            .filter(o -> source.startsWith(o, at))
            .findFirst()
            .orElseThrow(() ->
                Failure.syntax(
                    "unexpected character '" + Character.toString(source.codePointAt(at)) + "'",
                    place(at)));
    switch (operator) {
      case "(" -> open.push(')');
      case "[" -> open.push(']');
      case "{" -> open.push('}');
      case ")", "]", "}" -> {
        if (open.isEmpty()) {
          throw Failure.syntax("unexpected '" + operator + "'", place(at));
        }
        char expected = open.pop();
        if (expected != operator.charAt(0)) {
          throw Failure.syntax(
              "unexpected '" + operator + "', expected '" + expected + "'", place(at));
        }
      }
      default -> {}
    }
    add(TokenType.OPERATOR, operator, at);
    at += operator.length();
  }

  private void skipSpace() {
    while (at < source.length() && Characters.isSpace(source.codePointAt(at))) {
      at += Character.charCount(source.codePointAt(at));
    }
  }

  private void skipNewline() {
    if (at < source.length() && source.charAt(at) == '\n') {
      at++;
    }
  }

  private void add(TokenType type, String text, int from) {
    tokens.add(new Token(type, text, place(from)));
  }

  private Place place(int offset) {
    if (offset < seen) { // only for the start of a tag that has no end
      seen = 0;
      line = 1;
      lineStart = 0;
    }
    for (; seen < offset; seen++) {
      if (source.charAt(seen) == '\n') {
        line++;
        lineStart = seen + 1;
      }
    }
    return new Place(line, source.codePointCount(lineStart, offset) + 1);
  }
}
