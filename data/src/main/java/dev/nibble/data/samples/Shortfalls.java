package dev.nibble.data.samples;

import dev.nibble.data.chat.Shortfall;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Rows of whose answers less is learned than they have.
 *
 * @param rows the rows by what is not learned; a row may be under several
 */
public record Shortfalls(Map<Shortfall, Rows> rows) {
  /** Rows that are named in a report. */
  public static final int NAMED = 3;

  /** No row. */
  public static final Shortfalls NONE = new Shortfalls(Map.of());

  /**
   * Rows with the same shortfall.
   *
   * @param count how many
   * @param first file and number of the first ones
   */
  public record Rows(long count, List<String> first) {
    public Rows {
      first = List.copyOf(first);
    }

    /** These and further rows behind them. */
    Rows and(Rows more) {
      List<String> all = new ArrayList<>(first);
      all.addAll(more.first);
      return new Rows(count + more.count, all.subList(0, Math.min(NAMED, all.size())));
    }
  }

  public Shortfalls {
    rows = Map.copyOf(rows);
  }

  /** These and those of further rows. */
  public Shortfalls and(Shortfalls more) {
    Map<Shortfall, Rows> all = new EnumMap<>(Shortfall.class);
    all.putAll(rows);
    more.rows.forEach((shortfall, others) -> all.merge(shortfall, others, Rows::and));
    return new Shortfalls(all);
  }

  /** A sentence for each shortfall: how many rows have it, and which are the first. */
  public List<String> sentences() {
    List<String> sentences = new ArrayList<>();
    for (Shortfall shortfall : Shortfall.values()) {
      Rows found = rows.get(shortfall);
      if (found != null) {
        sentences.add(
            "%,d %s %s (%s%s)"
                .formatted(
                    found.count,
                    found.count == 1 ? "row" : "rows",
                    shortfall.described(),
                    String.join("; ", found.first),
                    found.count > found.first.size() ? "; ..." : ""));
      }
    }
    return List.copyOf(sentences);
  }
}
