package dev.nibble.adapters;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * PEFT's patterns are Python's regular expressions; named groups are all that Java writes
 * otherwise.
 */
final class PythonRegex {
  private PythonRegex() {}

  /**
   * The pattern for Java.
   *
   * @throws AdapterException when it is no regular expression
   */
  static Pattern compile(String regex) {
    try {
      return Pattern.compile(
          regex.replace("(?P<", "(?<").replaceAll("\\(\\?P=(\\w+)\\)", "\\\\k<$1>"));
    } catch (PatternSyntaxException e) {
      throw new AdapterException(
          "\"%s\" is no regular expression: %s at character %d"
              .formatted(regex, e.getDescription(), e.getIndex()),
          e);
    }
  }
}
