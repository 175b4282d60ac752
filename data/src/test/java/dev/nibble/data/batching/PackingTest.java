package dev.nibble.data.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.data.Batch;
import dev.nibble.data.CharTokenizer;
import dev.nibble.data.Rows;
import dev.nibble.data.format.Completion;
import dev.nibble.data.samples.Dataset;
import dev.nibble.data.samples.ExcessLength;
import dev.nibble.data.samples.SampleMaker;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Packed rows: full, and in an order that says nothing about the length of samples. */
class PackingTest {
  private static final int LENGTH = 256;
  private static final int SEEDS = 20;

  /** As many as newcomers have, and more than a window. */
  @ParameterizedTest
  @ValueSource(ints = {270, 2 * Packed.WINDOW + 100})
  void lengthsComeInNoOrder(int samples) {
    Subset all = corpus(samples, 40, 150).all();
    double deviation = 1 / Math.sqrt(samples - 1.0); // of the rank correlation of a random order
    double sum = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
      double correlation = rankCorrelation(lengths(all, plan(1, Optional.of(seed))));
      assertThat(correlation).as("seed %d", seed).isBetween(-4 * deviation, 4 * deviation);
      sum += correlation;
    }
    double bound = 4 * deviation / Math.sqrt(SEEDS);
    assertThat(sum / SEEDS).as("over all seeds").isBetween(-bound, bound);
  }

  @ParameterizedTest
  @ValueSource(ints = {30, 100, 200})
  void rowsAreFull(int longest) {
    Subset all = corpus(2000, 10, longest).all();
    double ideal = (double) all.report().tokens() / LENGTH;
    for (Optional<Integer> seed : List.of(Optional.of(1), Optional.<Integer>empty())) {
      assertThat(all.countBatches(plan(1, seed), 0)).isLessThan((long) (ideal * 1.05) + 2);
    }
  }

  @Test
  void largerMicroBatchesHoldTheSameRows() {
    Subset all = corpus(270, 40, 150).all();
    List<List<Integer>> single = batches(all, plan(1, Optional.of(3)));
    for (int rows : new int[] {2, 4}) {
      List<List<Integer>> larger = batches(all, plan(rows, Optional.of(3)));
      assertThat(larger).hasSize(Math.ceilDiv(single.size(), rows));
      assertThat(larger.stream().flatMap(List::stream))
          .containsExactlyElementsOf(single.stream().flatMap(List::stream).toList());
    }
  }

  @Test
  void everyBatchKnowsWhereItsSamplesComeFrom() {
    Subset all = corpus(50, 40, 150).all();
    List<String> places = new ArrayList<>();
    try (BatchStream stream = all.batches(plan(2, Optional.of(1)), 1)) {
      stream.forEachRemaining(batch -> {
        assertThat(batch.places()).hasSize(batch.samples());
        Batch last = batch.part(batch.samples() - 1, 1);
        assertThat(last.places()).containsExactly(batch.places().getLast());
        assertThat(last.starts()).containsExactly(0, last.length());
        places.addAll(batch.places());
      });
    }
    assertThat(places)
        .containsExactlyInAnyOrderElementsOf(
            IntStream.rangeClosed(1, 50).mapToObj(i -> "rows.jsonl, row " + i).toList());
  }

  private static Corpus corpus(int rows, int shortest, int longest) {
    SplittableRandom random = new SplittableRandom(rows);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      texts.add("x".repeat(random.nextInt(shortest, longest)));
    }
    SampleMaker maker =
        new SampleMaker(
            new CharTokenizer(), new Completion("text"), LENGTH, ExcessLength.DROP, false);
    return Corpus.scan(List.of(new Dataset(Rows.generated("rows.jsonl", rows, texts::get), maker)));
  }

  private static BatchPlan plan(int rows, Optional<Integer> seed) {
    return new BatchPlan(rows, LENGTH, true, seed.map(Shuffle::seeded));
  }

  private static int[] lengths(Subset subset, BatchPlan plan) {
    return batches(subset, plan).stream()
        .flatMap(List::stream)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  /** The lengths of the samples in the batches of an epoch. */
  private static List<List<Integer>> batches(Subset subset, BatchPlan plan) {
    List<List<Integer>> batches = new ArrayList<>();
    try (BatchStream stream = subset.batches(plan, 1)) {
      stream.forEachRemaining(batch -> {
        int[] starts = batch.starts();
        batches.add(
            IntStream.range(0, batch.samples()).mapToObj(s -> starts[s + 1] - starts[s]).toList());
      });
    }
    return batches;
  }

  /** Spearman's, between place and value; equal values have their mean rank. */
  private static double rankCorrelation(int[] values) {
    int n = values.length;
    Integer[] order = IntStream.range(0, n).boxed().toArray(Integer[]::new);
    Arrays.sort(order, Comparator.comparingInt(i -> values[i]));
    double mean = (n - 1) / 2.0;
    double together = 0;
    double ofRanks = 0;
    double ofPlaces = 0;
    for (int from = 0, to; from < n; from = to) {
      to = from + 1;
      while (to < n && values[order[to]] == values[order[from]]) {
        to++;
      }
      double rank = (from + to - 1) / 2.0 - mean;
      for (int i = from; i < to; i++) {
        together += rank * (order[i] - mean);
        ofRanks += rank * rank;
        ofPlaces += (order[i] - mean) * (order[i] - mean);
      }
    }
    return together / Math.sqrt(ofRanks * ofPlaces);
  }
}
