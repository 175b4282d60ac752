package dev.nibble.data.samples;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.errors.Remedy;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Rows that cannot be used.
 *
 * @param kinds what is wrong with them, in the order in which it was found
 */
public record BadRows(List<Kind> kinds) {
  /** None. */
  public static final BadRows NONE = new BadRows(List.of());

  /** Kinds that a message names. */
  private static final int MOST_NAMED = 5;

  /**
   * Rows with the same problem.
   *
   * @param first the error of the first of them
   * @param rows how many there are
   */
  public record Kind(InvalidDataset first, long rows) {
    /** The first row with its problem, and how many are like it. */
    String sentence() {
      return rows == 1 ? first.problem() : "%s (%,d such rows)".formatted(first.problem(), rows);
    }
  }

  public BadRows {
    kinds = List.copyOf(kinds);
  }

  /** How many rows there are. */
  public long count() {
    return kinds.stream().mapToLong(Kind::rows).sum();
  }

  /** These and those of further rows. */
  public BadRows and(BadRows more) {
    List<Kind> all = new ArrayList<>(kinds);
    for (Kind kind : more.kinds) {
      String key = key(kind.first);
      int same = all.stream().map(k -> key(k.first)).toList().indexOf(key);
      if (same < 0) {
        all.add(kind);
      } else {
        all.set(same, new Kind(all.get(same).first, all.get(same).rows + kind.rows));
      }
    }
    return new BadRows(all);
  }

  /** A sentence for the first row of each kind. */
  public List<String> sentences() {
    return kinds.stream().map(Kind::sentence).toList();
  }

  /**
   * The error that says what is wrong with these rows.
   *
   * @param source where they are
   * @param rows how many rows there are in all
   */
  public InvalidDataset error(String source, long rows) {
    InvalidDataset first = kinds.getFirst().first;
    if (count() == 1) {
      return first;
    }
    String named =
        sentences().stream().limit(MOST_NAMED).map(s -> "\n  " + s).collect(Collectors.joining());
    String others =
        kinds.size() <= MOST_NAMED
            ? ""
            : "\n  and %,d more kinds of problems".formatted(kinds.size() - MOST_NAMED);
    Remedy remedy =
        kinds.size() == 1
            ? first.remedy().orElse(Remedy.MEND_OR_SKIP_ROWS)
            : Remedy.MEND_OR_SKIP_ROWS;
    return new InvalidDataset(
        "%s: %,d of %,d rows cannot be used:%s%s\n".formatted(source, count(), rows, named, others),
        remedy);
  }

  /**
   * What errors of the same kind have in common: neither the place nor numbers, nor the text that
   * came.
   */
  public static String key(InvalidDataset error) {
    String problem = error.problem();
    int got = problem.indexOf(", got ");
    return (got < 0 ? problem : problem.substring(0, got)).replaceAll("[0-9]+", "0");
  }
}
