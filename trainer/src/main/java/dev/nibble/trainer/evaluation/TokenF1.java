package dev.nibble.trainer.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * The F1 by which SQuAD's evaluation script compares two answers (arXiv:1606.05250, section 6.1): 2
 * c / (a + b), where the answers have a and b words and c of them in common, each as often as both
 * have it. Words are what is left between white space after lower-casing, and after ASCII
 * punctuation and the articles a, an and the are gone.
 */
final class TokenF1 {
  private static final Pattern PUNCTUATION = Pattern.compile("\\p{Punct}");
  private static final Pattern ARTICLES =
      Pattern.compile("\\b(a|an|the)\\b", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

  private TokenF1() {}

  /** In [0, 1]. Two answers without words are equal; one without words has none in common. */
  static double of(String expected, String given) {
    List<String> left = words(expected);
    List<String> words = words(given);
    int both = left.size() + words.size();
    long common = words.stream().filter(left::remove).count();
    return both == 0 ? 1 : 2.0 * common / both;
  }

  private static List<String> words(String text) {
    String bare = PUNCTUATION.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("");
    String[] words = SPACE.split(ARTICLES.matcher(bare).replaceAll(" "));
    return new ArrayList<>(Arrays.stream(words).filter(word -> !word.isEmpty()).toList());
  }
}
