package dev.nibble.data.chat;

/** Comparisons of renderings that have a part in common. */
final class Overlap {
  private Overlap() {}

  /** Length of the longest common prefix. */
  static int prefix(String a, String b) {
    int n = 0;
    while (n < a.length() && n < b.length() && a.charAt(n) == b.charAt(n)) {
      n++;
    }
    return n;
  }

  /** Length of the longest common suffix. */
  static int suffix(String a, String b) {
    int n = 0;
    while (n < a.length()
        && n < b.length()
        && a.charAt(a.length() - 1 - n) == b.charAt(b.length() - 1 - n)) {
      n++;
    }
    return n;
  }

  /**
   * Length of the longest suffix of {@code tail} that stands in {@code text} at {@code from}, by
   * the failure function of Knuth, Morris and Pratt.
   */
  static int longestSuffix(String tail, String text, int from) {
    int size = Math.min(tail.length(), text.length() - from);
    int[] shorter = new int[size + 1]; // of a matched prefix, the next shorter one to try
    for (int i = 1, matched = 0; i < size; i++) {
      while (matched > 0 && text.charAt(from + i) != text.charAt(from + matched)) {
        matched = shorter[matched];
      }
      matched += text.charAt(from + i) == text.charAt(from + matched) ? 1 : 0;
      shorter[i + 1] = matched;
    }
    int matched = 0;
    for (int i = tail.length() - size; i < tail.length(); i++) {
      while (matched > 0 && tail.charAt(i) != text.charAt(from + matched)) {
        matched = shorter[matched];
      }
      matched += tail.charAt(i) == text.charAt(from + matched) ? 1 : 0;
    }
    return matched;
  }

  /** Whether a character ends a tag such as {@code <|im_end|>} or {@code [/INST]}, or a line. */
  static boolean endsTag(char c) {
    return ">]\n".indexOf(c) >= 0;
  }

  /** A text without a tag that is open at its end. */
  static String closed(String text) {
    int angle = text.lastIndexOf('<');
    int square = text.lastIndexOf('[');
    int end = text.length();
    end = angle > text.lastIndexOf('>') ? angle : end;
    return text.substring(0, square > text.lastIndexOf(']') ? Math.min(end, square) : end);
  }

  /** A text up to its last whole tag or line; what follows may be the start of another. */
  static String upToTag(String text) {
    int end = text.length();
    while (end > 0 && !endsTag(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }
}
