package dev.nibble.quant.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A choice of one option for each matrix, whose sizes add up to a budget at most and whose costs
 * add up to little.
 *
 * <p>By Lagrangian relaxation: with a price of a byte, each matrix takes the option for which cost
 * and price together are least, which is on the lower convex hull of its options; as the price
 * falls, the hulls' edges are taken in the order of their slopes (Shoham and Gersho, 1988). At the
 * first edge that the budget has no room for the cost is above the least by less than what that
 * edge would save. What room is left then is filled with whatever saves most for a byte.
 */
public final class BitAllocation {
  private final List<List<Option>> options;
  private final int[] chosen;
  private long bytes;

  /** A size and what it costs, in any unit. */
  public record Option(long bytes, double cost) {
    /** Checks both. */
    public Option {
      if (bytes < 0 || !(cost >= 0) || Double.isInfinite(cost)) {
        throw new IllegalArgumentException("%d bytes at a cost of %s".formatted(bytes, cost));
      }
    }
  }

  /**
   * A change of one matrix to another of its options.
   *
   * @param saving by how much its cost falls for a byte more
   */
  private record Step(int matrix, int to, long bytes, double saving) {}

  private BitAllocation(List<List<Option>> options) {
    this.options = options;
    this.chosen = new int[options.size()];
    for (int m = 0; m < chosen.length; m++) {
      chosen[m] = smallest(options.get(m));
      bytes += options.get(m).get(chosen[m]).bytes();
    }
  }

  /**
   * Chooses.
   *
   * @param options of each matrix, one at least
   * @param budget in bytes
   * @return the index of each matrix's option; empty when even the smallest are too large
   */
  public static Optional<List<Integer>> choose(List<List<Option>> options, long budget) {
    BitAllocation allocation = new BitAllocation(options);
    if (allocation.bytes > budget) {
      return Optional.empty();
    }
    allocation.descend(budget);
    allocation.fill(budget);
    List<Integer> result = new ArrayList<>();
    for (int option : allocation.chosen) {
      result.add(option);
    }
    return Optional.of(List.copyOf(result));
  }

  /** The least that any choice takes. */
  public static long leastBytes(List<List<Option>> options) {
    return new BitAllocation(options).bytes;
  }

  /** Of the smallest options the cheapest. */
  private static int smallest(List<Option> options) {
    int best = 0;
    for (int i = 1; i < options.size(); i++) {
      Option o = options.get(i);
      Option b = options.get(best);
      if (o.bytes() < b.bytes() || (o.bytes() == b.bytes() && o.cost() < b.cost())) {
        best = i;
      }
    }
    return best;
  }

  /** Takes the edges of all hulls, the steepest first, up to the first that does not fit. */
  private void descend(long budget) {
    List<Step> edges = new ArrayList<>();
    for (int m = 0; m < chosen.length; m++) {
      int at = chosen[m];
      for (Optional<Step> edge = best(m, at, Long.MAX_VALUE);
          edge.isPresent();
          edge = best(m, at, Long.MAX_VALUE)) {
        edges.add(edge.get());
        at = edge.get().to();
      }
    }
    // Slopes of a hull only fall, so that a stable sort keeps the edges of each in their order.
    edges.sort(Comparator.comparingDouble(Step::saving).reversed());
    for (Step edge : edges) {
      if (edge.bytes() > budget - bytes) {
        return;
      }
      take(edge);
    }
  }

  /** Takes what saves most for a byte and fits, until nothing does. */
  private void fill(long budget) {
    while (true) {
      Optional<Step> next = Optional.empty();
      for (int m = 0; m < chosen.length; m++) {
        Optional<Step> step = best(m, chosen[m], budget - bytes);
        if (step.isPresent() && (next.isEmpty() || step.get().saving() > next.get().saving())) {
          next = step;
        }
      }
      if (next.isEmpty()) {
        return;
      }
      take(next.get());
    }
  }

  private void take(Step step) {
    chosen[step.matrix()] = step.to();
    bytes += step.bytes();
  }

  /**
   * The change of a matrix that saves most for a byte: the next edge of its hull, where all fit.
   *
   * @param room the most bytes more
   */
  private Optional<Step> best(int matrix, int from, long room) {
    List<Option> all = options.get(matrix);
    Option now = all.get(from);
    Optional<Step> best = Optional.empty();
    for (int to = 0; to < all.size(); to++) {
      long more = all.get(to).bytes() - now.bytes();
      double less = now.cost() - all.get(to).cost();
      if (less <= 0 || more > room || more < 0) {
        continue;
      }
      double saving = more == 0 ? Double.POSITIVE_INFINITY : less / more;
      boolean better =
          best.isEmpty()
              || saving > best.get().saving()
              || (saving == best.get().saving() && more > best.get().bytes());
      if (better) {
        best = Optional.of(new Step(matrix, to, more, saving));
      }
    }
    return best;
  }
}
