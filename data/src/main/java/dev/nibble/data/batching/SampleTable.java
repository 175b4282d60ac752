package dev.nibble.data.batching;

import dev.nibble.data.chat.Shortfall;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.samples.BadRows;
import dev.nibble.data.samples.DataReport;
import dev.nibble.data.samples.SampleOutcome;
import dev.nibble.data.samples.Shortfalls;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.IntPredicate;

/** Lengths and outcomes of the rows of one shard, eight bytes a row. */
final class SampleTable {
  /**
   * The length of a kept sample; 0 for one without supervision, negative for one that is too long.
   */
  private int[] lengths = new int[1024];

  private int[] supervised = new int[1024];
  private final BitSet truncated = new BitSet();
  private final Map<String, Bad> bad = new LinkedHashMap<>();
  private final Map<Shortfall, BitSet> shortfalls = new EnumMap<>(Shortfall.class);
  private final Map<Integer, String> places = new HashMap<>();
  private int rows;

  private static final int MOST_KINDS = 100;
  private static final String OTHER_KINDS = "";

  /** Rows with the same problem. */
  private record Bad(InvalidDataset first, BitSet rows) {}

  private void grow() {
    if (rows == lengths.length) {
      int larger = Math.addExact(rows, rows >> 1);
      lengths = Arrays.copyOf(lengths, larger);
      supervised = Arrays.copyOf(supervised, larger);
    }
  }

  /** Adds a row that cannot be used. */
  void add(InvalidDataset problem) {
    grow();
    String key = BadRows.key(problem);
    // Messages that differ in every row must not fill the memory.
    String kind = bad.containsKey(key) || bad.size() < MOST_KINDS ? key : OTHER_KINDS;
    bad.computeIfAbsent(kind, _ -> new Bad(problem, new BitSet())).rows.set(rows);
    rows++;
  }

  /**
   * Adds the outcome of a row.
   *
   * @param row to name it by
   */
  void add(SampleOutcome outcome, Row row) {
    grow();
    switch (outcome) {
      case SampleOutcome.Kept kept -> {
        lengths[rows] = kept.sample().length();
        supervised[rows] = kept.sample().supervisedTokens();
        truncated.set(rows, kept.truncated());
        note(kept.shortfalls(), row);
      }
      case SampleOutcome.TooLong tooLong -> lengths[rows] = -tooLong.tokens();
      case SampleOutcome.Unsupervised left -> {
        lengths[rows] = 0;
        note(left.shortfalls(), row);
      }
    }
    rows++;
  }

  private void note(Set<Shortfall> found, Row row) {
    for (Shortfall shortfall : found) {
      BitSet with = shortfalls.computeIfAbsent(shortfall, _ -> new BitSet());
      if (with.cardinality() < Shortfalls.NAMED) {
        places.put(rows, row.place());
      }
      with.set(rows);
    }
  }

  private Shortfalls shortfalls(IntPredicate chosen) {
    Map<Shortfall, Shortfalls.Rows> found = new EnumMap<>(Shortfall.class);
    shortfalls.forEach((shortfall, with) -> {
      int[] those = with.stream().filter(chosen).toArray();
      List<String> named =
          Arrays.stream(those)
              .mapToObj(places::get)
              .filter(Objects::nonNull)
              .limit(Shortfalls.NAMED)
              .toList();
      if (those.length > 0) {
        found.put(shortfall, new Shortfalls.Rows(those.length, named));
      }
    });
    return new Shortfalls(found);
  }

  int rows() {
    return rows;
  }

  /** The length of the sample of a row, or 0 when it is left out. */
  int length(int row) {
    return Math.max(0, lengths[row]);
  }

  /** Adds the chosen rows to a report. */
  DataReport report(DataReport before, IntPredicate chosen) {
    long all = before.rows();
    long kept = before.kept();
    long cut = before.truncated();
    long tooLong = before.tooLong();
    long without = before.unsupervised();
    long tokens = before.tokens();
    long supervisedTokens = before.supervisedTokens();
    int longest = before.longest();
    for (int row = 0; row < rows; row++) {
      if (!chosen.test(row)) {
        continue;
      }
      all++;
      if (isBad(row)) {
        continue;
      }
      if (lengths[row] < 0) {
        tooLong++;
      } else if (lengths[row] == 0) {
        without++;
      } else {
        kept++;
        cut += truncated.get(row) ? 1 : 0;
        tokens += lengths[row];
        supervisedTokens += supervised[row];
        longest = Math.max(longest, lengths[row]);
      }
    }
    return new DataReport(
        all,
        kept,
        cut,
        tooLong,
        without,
        tokens,
        supervisedTokens,
        longest,
        before.bad().and(bad(chosen)),
        before.shortfalls().and(shortfalls(chosen)));
  }

  private boolean isBad(int row) {
    return bad.values().stream().anyMatch(kind -> kind.rows.get(row));
  }

  private BadRows bad(IntPredicate chosen) {
    return new BadRows(
        bad.values().stream()
            .map(kind -> new BadRows.Kind(kind.first, kind.rows.stream().filter(chosen).count()))
            .filter(kind -> kind.rows() > 0)
            .toList());
  }
}
