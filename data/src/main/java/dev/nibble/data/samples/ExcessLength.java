package dev.nibble.data.samples;

import dev.nibble.data.rows.Nearest;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What happens to a sample that is longer than the sequence length. */
public enum ExcessLength {
  /** It is left out and counted. */
  DROP,
  /** Its end is cut off and it is counted; left out when nothing supervised remains. */
  TRUNCATE,
  /** It is an error. */
  RAISE;

  /** The strategy with this name in a recipe: {@code drop}, {@code truncate} or {@code raise}. */
  public static ExcessLength named(String name) {
    List<String> known =
        Arrays.stream(values()).map(v -> v.name().toLowerCase(Locale.ROOT)).toList();
    int index = known.indexOf(name);
    if (index < 0) {
      throw new IllegalArgumentException(
          "unknown excess_length_strategy '%s'; known are %s.%s"
              .formatted(name, known, Nearest.hint(name, known)));
    }
    return values()[index];
  }
}
