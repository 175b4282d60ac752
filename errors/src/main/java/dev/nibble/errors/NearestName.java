package dev.nibble.errors;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** The known name that a misspelt one most likely stands for. */
public final class NearestName {
  private NearestName() {}

  /**
   * The name with the fewest typing errors between it and {@code written}, unless they are too
   * many.
   */
  public static Optional<String> among(Collection<String> names, String written) {
    String lower = plain(written);
    return names.stream()
        .filter(
            n -> distance(lower, plain(n)) <= Math.max(1, Math.min(lower.length(), n.length()) / 3))
        .min(Comparator.comparingInt(n -> distance(lower, plain(n))));
  }

  /** {@code " Did you mean 'x'?"}, or nothing when no name is near. */
  public static String hint(Collection<String> names, String written) {
    return among(names, written).map(n -> " Did you mean '" + n + "'?").orElse("");
  }

  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replace('-', '_');
  }

  /** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
  static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int replace = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        d[i][j] = Math.min(replace, 1 + Math.min(d[i - 1][j], d[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
