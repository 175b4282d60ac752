package dev.nibble.quant.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.quant.plan.BitAllocation.Option;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class BitAllocationTest {
  private static final double EPSILON = 1e-9;

  private static long bytes(List<List<Option>> options, List<Integer> chosen) {
    long sum = 0;
    for (int m = 0; m < chosen.size(); m++) {
      sum += options.get(m).get(chosen.get(m)).bytes();
    }
    return sum;
  }

  private static double cost(List<List<Option>> options, List<Integer> chosen) {
    double sum = 0;
    for (int m = 0; m < chosen.size(); m++) {
      sum += options.get(m).get(chosen.get(m)).cost();
    }
    return sum;
  }

  /** The least cost of all choices that fit. */
  private static double least(List<List<Option>> options, int from, long budget) {
    if (budget < 0) {
      return Double.POSITIVE_INFINITY;
    }
    if (from == options.size()) {
      return 0;
    }
    double least = Double.POSITIVE_INFINITY;
    for (Option o : options.get(from)) {
      least = Math.min(least, o.cost() + least(options, from + 1, budget - o.bytes()));
    }
    return least;
  }

  /** Sizes and costs without any order, some of them equal. */
  private static List<List<Option>> random(Random random, int matrices) {
    List<List<Option>> all = new ArrayList<>();
    for (int m = 0; m < matrices; m++) {
      List<Option> options = new ArrayList<>();
      for (int i = 0; i <= random.nextInt(5); i++) {
        options.add(new Option(1 + random.nextInt(20), random.nextInt(30) / 3.0));
      }
      all.add(options);
    }
    return all;
  }

  private static double largestSaving(List<List<Option>> options) {
    double largest = 0;
    for (List<Option> of : options) {
      double most = of.stream().mapToDouble(Option::cost).max().orElseThrow();
      double least = of.stream().mapToDouble(Option::cost).min().orElseThrow();
      largest = Math.max(largest, most - least);
    }
    return largest;
  }

  @Test
  void staysInTheBudgetAndNearTheBestChoice() {
    Random random = new Random(3);
    int best = 0;
    int tried = 0;
    for (int i = 0; i < 400; i++) {
      List<List<Option>> options = random(random, 1 + random.nextInt(5));
      long least = BitAllocation.leastBytes(options);
      assertThat(BitAllocation.choose(options, least - 1)).isEmpty();
      for (long budget = least; budget < least + 40; budget += 3) {
        List<Integer> chosen = BitAllocation.choose(options, budget).orElseThrow();
        double optimum = least(options, 0, budget);
        assertThat(bytes(options, chosen)).isLessThanOrEqualTo(budget);
        assertThat(cost(options, chosen))
            .isGreaterThanOrEqualTo(optimum - EPSILON)
            .isLessThanOrEqualTo(optimum + largestSaving(options) + EPSILON);
        best += cost(options, chosen) < optimum + EPSILON ? 1 : 0;
        tried++;
      }
    }
    assertThat(best).isGreaterThan(tried * 4 / 5);
  }

  /** A relaxation is exact where the budget is what a choice on all hulls takes. */
  @Test
  void isExactOnTheHull() {
    Random random = new Random(4);
    for (int i = 0; i < 200; i++) {
      List<List<Option>> options = random(random, 1 + random.nextInt(5));
      double price = random.nextDouble();
      long budget = 0;
      double cost = 0;
      for (List<Option> of : options) {
        Option best =
            of.stream()
                .min((a, b) ->
                    Double.compare(a.cost() + price * a.bytes(), b.cost() + price * b.bytes()))
                .orElseThrow();
        budget += best.bytes();
        cost += best.cost();
      }
      List<Integer> chosen = BitAllocation.choose(options, budget).orElseThrow();
      assertThat(cost(options, chosen)).isCloseTo(cost, within(EPSILON));
    }
  }

  /** With many matrices a step is small beside the whole, and more room is never worse by more. */
  @Test
  void moreRoomCostsLess() {
    Random random = new Random(5);
    List<List<Option>> options = random(random, 60);
    double step = largestSaving(options);
    double before = Double.POSITIVE_INFINITY;
    long least = BitAllocation.leastBytes(options);
    long most = options.stream().flatMap(List::stream).mapToLong(Option::bytes).sum();
    for (long budget = least; budget <= most; budget += 5) {
      double cost = cost(options, BitAllocation.choose(options, budget).orElseThrow());
      assertThat(cost).isLessThanOrEqualTo(before + step + EPSILON);
      before = Math.min(before, cost);
    }
    double cheapest =
        options.stream()
            .mapToDouble(of -> of.stream().mapToDouble(Option::cost).min().orElseThrow())
            .sum();
    assertThat(before).isCloseTo(cheapest, within(EPSILON));
  }

  /** An edge that does not fit leaves room for options off the hull. */
  @Test
  void fillsWhatTheHullLeaves() {
    List<List<Option>> options =
        List.of(
            List.of(new Option(1, 10), new Option(3, 9), new Option(10, 0)),
            List.of(new Option(1, 1), new Option(2, 0.9)));
    assertThat(BitAllocation.choose(options, 5)).contains(List.of(1, 1));
    assertThat(BitAllocation.choose(options, 11)).contains(List.of(2, 0));
    assertThat(BitAllocation.choose(options, 1_000)).contains(List.of(2, 1));
  }

  @Test
  void refusesWhatIsNoCost() {
    assertThatThrownBy(() -> new Option(1, Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Option(1, Double.POSITIVE_INFINITY))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Option(-1, 0)).isInstanceOf(IllegalArgumentException.class);
  }
}
