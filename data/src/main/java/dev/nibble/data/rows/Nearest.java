package dev.nibble.data.rows;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** The known name that a misspelt one most likely means. */
public final class Nearest {
  private Nearest() {}

  /** The name of {@code known} nearest to {@code name} by edit distance, if any is near enough. */
  public static Optional<String> to(String name, Collection<String> known) {
    String wanted = name.toLowerCase(Locale.ROOT);
    return known.stream()
        .min(Comparator.comparingInt(k -> distance(wanted, k.toLowerCase(Locale.ROOT))))
        .filter(
            k -> distance(wanted, k.toLowerCase(Locale.ROOT)) <= Math.max(2, name.length() / 3));
  }

  /** {@code " Did you mean 'x'?"}, or nothing when no known name is near. */
  public static String hint(String name, Collection<String> known) {
    return to(name, known).map(k -> " Did you mean '" + k + "'?").orElse("");
  }

  /** Levenshtein distance. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substituted, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
