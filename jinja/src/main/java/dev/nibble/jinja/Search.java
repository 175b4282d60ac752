package dev.nibble.jinja;

/**
 * A search for a text in others, in time that is linear whatever both are (Knuth, Morris and
 * Pratt). {@link String#indexOf(String)} takes the product of both lengths for a text such as
 * {@code aaa...ab} in one of many a.
 */
final class Search {
  /** Up to this length the plain search is linear enough, and faster. */
  private static final int SHORT = 8;

  private final String part;
  private final boolean backward;
  private final int[] shorter; // of a matched beginning, the next shorter one to try

  private Search(String part, boolean backward) {
    this.part = part;
    this.backward = backward;
    this.shorter = new int[part.length() > SHORT ? part.length() + 1 : 0];
    for (int i = 1, matched = 0; i + 1 < shorter.length; i++) {
      while (matched > 0 && at(part, i) != at(part, matched)) {
        matched = shorter[matched];
      }
      matched += at(part, i) == at(part, matched) ? 1 : 0;
      shorter[i + 1] = matched;
    }
  }

  /** A search from the start of texts to their end. */
  static Search forward(Meter meter, String part) {
    meter.each(part.length());
    return new Search(part, false);
  }

  /** A search from the end of texts to their start. */
  static Search backward(Meter meter, String part) {
    meter.each(part.length());
    return new Search(part, true);
  }

  /** Whether a text contains a part. */
  static boolean contains(Meter meter, String text, String part) {
    meter.work(text.length());
    return part.length() <= text.length() && forward(meter, part).next(text, 0) >= 0;
  }

  /** Place of the first occurrence at {@code from} or behind it; -1 for none. */
  int next(String text, int from) {
    if (part.length() <= SHORT) {
      return text.indexOf(part, from);
    }
    int end = find(text, from);
    return end < 0 ? -1 : end - part.length();
  }

  /** Place of the last occurrence that ends at {@code end} or before it; -1 for none. */
  int last(String text, int end) {
    if (part.length() > end) {
      return -1;
    }
    if (part.length() <= SHORT) {
      return text.lastIndexOf(part, end - part.length());
    }
    int read = find(text, text.length() - end);
    return read < 0 ? -1 : text.length() - read;
  }

  /** Characters of the text up to the end of the match, in the direction of the search. */
  private int find(String text, int from) {
    int matched = 0;
    for (int i = from; i < text.length(); i++) {
      while (matched > 0 && at(text, i) != at(part, matched)) {
        matched = shorter[matched];
      }
      matched += at(text, i) == at(part, matched) ? 1 : 0;
      if (matched == part.length()) {
        return i + 1;
      }
    }
    return -1;
  }

  private char at(String text, int index) {
    return text.charAt(backward ? text.length() - 1 - index : index);
  }
}
