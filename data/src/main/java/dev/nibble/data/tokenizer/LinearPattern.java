package dev.nibble.data.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Regular expressions whose matching takes time in proportion to the text. The library's engine
 * backtracks, and gives up with a panic after ten million steps, so that a pattern such as {@code
 * (a+)+$} ends the JVM on a short text.
 *
 * <p>An expression is taken for linear when each of its alternatives is: parts of one character,
 * where nothing that can fail follows the first repeated one. The alternatives that real tokenizers
 * have besides are known by name, with the one that must stand beside them so that what they give
 * up is consumed. Anything else may be linear too; this class does not know.
 */
final class LinearPattern {
  private static final String CLASS = "\\[(?:[^\\[\\]\\\\&]|&(?!&)|\\\\.)+\\]";
  private static final String WORD = "(?:\\[\\w+\\]|[\\w'\u2019]+)";
  private static final String WORDS = "\\((?:\\?i?:)?(?:" + WORD + "\\|)*" + WORD + "\\)";
  private static final Pattern PART =
      Pattern.compile(
          "(?:\\\\[pP]\\{\\^?\\w+\\}|\\\\[dDsSwWrntf]|\\\\[^A-Za-z0-9]|"
              + CLASS
              + "|"
              + WORDS
              + "|[^\\\\\\[\\](){}|*+?^$])(\\{\\d{1,2}(?:,\\d{0,2})?\\}|[+*?]\\+?)?");

  /** Optional parts in front double the ways to fail. */
  private static final int MOST_OPTIONAL = 3;

  private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final Set<String> RUNS_OF_SPACE =
      Set.of("\\s*[\\r\\n]+", "\\s*[\\r\\n]", "\\s+(?!\\S)", "\\s+$", "\\s++$");

  private LinearPattern() {}

  /** Whether the expression is known to be linear, and never matches nothing. */
  static boolean is(String expression) {
    List<String> alternatives = alternatives(expression);
    return alternatives.stream().allMatch(a -> isPlain(a) || isCaught(a, alternatives));
  }

  /** Known alternatives that give up a whole run, where another takes the run. */
  private static boolean isCaught(String alternative, List<String> all) {
    if (RUNS_OF_SPACE.contains(alternative)) {
      return all.contains("\\s+") || all.contains("\\s");
    }
    String companion = alternative.replace(UPPER + "*" + LOWER + "+", UPPER + "+" + LOWER + "*");
    return !companion.equals(alternative) && isPlain(companion) && all.contains(companion);
  }

  private static boolean isPlain(String alternative) {
    Matcher parts = PART.matcher(alternative);
    int at = 0;
    int optional = 0;
    boolean consumes = false;
    boolean repeated = false;
    while (at < alternative.length()) {
      if (!parts.find(at) || parts.start() != at) {
        return false;
      }
      String often = parts.group(1) == null ? "" : parts.group(1);
      boolean canFail = !often.startsWith("*") && !often.startsWith("?") && !often.startsWith("{0");
      if (canFail && repeated) {
        return false;
      }
      optional += canFail || repeated ? 0 : 1;
      consumes |= canFail;
      repeated |= !often.isEmpty() && !often.startsWith("?");
      at = parts.end();
    }
    return consumes && optional <= MOST_OPTIONAL;
  }

  /** The alternatives of the whole expression, not those within groups and classes. */
  private static List<String> alternatives(String expression) {
    List<String> found = new ArrayList<>();
    int from = 0;
    int depth = 0;
    boolean inClass = false;
    for (int i = 0; i < expression.length(); i++) {
      char c = expression.charAt(i);
      if (c == '\\') {
        i++;
      } else if (inClass) {
        inClass = c != ']';
      } else if (c == '[') {
        inClass = true;
      } else if (c == '(') {
        depth++;
      } else if (c == ')') {
        depth--;
      } else if (c == '|' && depth == 0) {
        found.add(expression.substring(from, i));
        from = i + 1;
      }
    }
    found.add(expression.substring(from));
    return found;
  }
}
