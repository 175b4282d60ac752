package dev.nibble.cli.report;

import java.util.List;

/** Prompts as they are shown beside answers: without what all of them have in common. */
final class Questions {
  private Questions() {}

  /**
   * What each text has between the words that all of them start with and the words that all end
   * with, such as a prompt's frame; the texts themselves where that would leave nothing of one.
   */
  static List<String> distinctParts(List<String> texts) {
    List<List<String>> words =
        texts.stream().map(t -> List.of(t.strip().split("\\s+", -1))).toList();
    int shortest = words.stream().mapToInt(List::size).min().orElse(0);
    int start = 0;
    while (start < shortest && same(words, start)) {
      start++;
    }
    int end = 0;
    while (end < shortest - start && same(words.stream().map(List::reversed).toList(), end)) {
      end++;
    }
    if (texts.size() < 2 || start + end >= shortest) {
      return texts;
    }
    int from = start;
    int left = end;
    return words.stream().map(w -> String.join(" ", w.subList(from, w.size() - left))).toList();
  }

  private static boolean same(List<List<String>> words, int at) {
    return words.stream().map(w -> w.get(at)).distinct().count() == 1;
  }

  /** One line of at most so many characters: the end of what is longer, where the question is. */
  static String shortened(String text, int width) {
    String line = text.strip().replaceAll("\\s+", " ");
    return line.length() <= width ? line : "…" + line.substring(line.length() - width + 1);
  }
}
