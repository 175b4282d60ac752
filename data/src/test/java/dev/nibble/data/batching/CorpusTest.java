package dev.nibble.data.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Batch;
import dev.nibble.data.CharTokenizer;
import dev.nibble.data.Rows;
import dev.nibble.data.format.Completion;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.RowSource;
import dev.nibble.data.samples.BadRows;
import dev.nibble.data.samples.DataReport;
import dev.nibble.data.samples.Dataset;
import dev.nibble.data.samples.ExcessLength;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.samples.Shortfalls;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CorpusTest {
  private static final int LENGTH = 32;
  private static final SampleMaker MAKER =
      new SampleMaker(
          new CharTokenizer(), new Completion("text"), LENGTH, ExcessLength.DROP, false);

  @Test
  void countsWhatIsLeftOut() {
    Corpus corpus = corpus(source("a", 10, i -> i < 3 ? "x".repeat(40) : "abc"));
    DataReport report = corpus.all().report();
    assertThat(report)
        .isEqualTo(new DataReport(10, 7, 0, 3, 0, 7 * 5, 7 * 4, 5, BadRows.NONE, Shortfalls.NONE));
    assertThat(report.summary()).contains("3 too long, left out");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void everySampleComesOnceAnEpoch(long seed) {
    Corpus corpus = random(seed);
    for (boolean packing : List.of(true, false)) {
      for (Optional<Shuffle> shuffle :
          List.of(Optional.of(new Shuffle(seed, 50)), Optional.<Shuffle>empty())) {
        BatchPlan plan = new BatchPlan(3, LENGTH, packing, shuffle);
        Subset all = corpus.all();
        try (BatchStream stream = all.batches(plan, 2)) {
          for (int epoch = 0; epoch < 2; epoch++) {
            List<String> seen = new ArrayList<>();
            for (long left = all.countBatches(plan, epoch); left > 0; left--) {
              Batch batch = stream.next();
              assertThat(stream.epoch()).isEqualTo(epoch);
              check(batch, plan);
              seen.addAll(samples(batch));
            }
            assertThat(seen).doesNotHaveDuplicates().hasSize((int) all.report().kept());
          }
          assertThat(stream.hasNext()).isFalse();
        }
      }
    }
  }

  private static void check(Batch batch, BatchPlan plan) {
    assertThat(batch.length()).isBetween(1, plan.maxTokens());
    assertThat(batch.supervisedTokens()).isPositive();
    if (!plan.packing()) {
      assertThat(batch.samples()).isLessThanOrEqualTo(plan.microBatchSize());
    }
  }

  @Test
  void keepsTheOrderOfSourcesWithoutShuffling() {
    Corpus corpus = corpus(source("a", 3, i -> "a" + i), source("b", 2, i -> "b" + i));
    BatchPlan plan = new BatchPlan(2, LENGTH, false, Optional.empty());
    assertThat(epoch(corpus.all(), plan, 0)).containsExactly("a0", "a1", "a2", "b0", "b1");
  }

  /** Though the buffer holds only ten rows at a time. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2 * ShardOrder.MOST_OPEN})
  void mixesDatasetsWhateverTheirSize(int filesOfEach) {
    List<RowSource> sources = new ArrayList<>();
    for (String name : List.of("a", "a", "b")) { // twice as many of one as of the other
      for (int file = 0; file < filesOfEach; file++) {
        String prefix = name + sources.size() + ":";
        sources.add(source(prefix, 1600 / filesOfEach, i -> prefix + i));
      }
    }
    Subset all = corpus(sources.toArray(RowSource[]::new)).all();
    BatchPlan plan = new BatchPlan(1, LENGTH, false, Optional.of(new Shuffle(3, 10)));
    for (int e = 0; e < 2; e++) {
      List<String> epoch = epoch(all, plan, e);
      assertThat(epoch).hasSize(4800).doesNotHaveDuplicates();
      for (int part = 0; part < 4; part++) {
        List<String> quarter = epoch.subList(1200 * part, 1200 * (part + 1));
        assertThat(quarter.stream().filter(text -> text.startsWith("b")).count())
            .as("of dataset b in quarter %d", part)
            .isBetween(filesOfEach == 1 ? 340L : 50L, filesOfEach == 1 ? 460L : 800L);
      }
    }
  }

  @Test
  void shufflingFollowsTheSeedAndTheEpoch() {
    Subset all = random(5).all();
    BatchPlan plan = plan(11);
    assertThat(epoch(all, plan, 0)).isEqualTo(epoch(random(5).all(), plan(11), 0));
    assertThat(epoch(all, plan, 0)).isNotEqualTo(epoch(all, plan(12), 0));
    assertThat(epoch(all, plan, 0)).isNotEqualTo(epoch(all, plan, 1));
    assertThat(epoch(all, plan, 0)).containsExactlyInAnyOrderElementsOf(epoch(all, plan, 1));
  }

  @Test
  void aResumedStreamGoesOnWithTheSameBatch() {
    Subset train = random(9).split(0.2, 4).train();
    BatchPlan plan = plan(21);
    long perEpoch = train.countBatches(plan, 0);
    try (BatchStream whole = train.batches(plan)) {
      for (long i = 0; i < 2 * perEpoch + 3; i++) {
        DataPosition position = whole.position();
        try (BatchStream resumed = train.batches(plan)) {
          resumed.skipTo(position);
          assertThat(resumed.position()).isEqualTo(position);
          assertThat(resumed.next().tokens()).isEqualTo(whole.next().tokens());
          assertThat(resumed.position()).isEqualTo(whole.position());
        }
      }
      assertThat(whole.epoch()).isGreaterThanOrEqualTo(1);
    }
  }

  @Test
  void refusesAPlaceThatTheEpochDoesNotHave() {
    try (BatchStream stream = random(1).all().batches(plan(1))) {
      assertThatThrownBy(() -> stream.skipTo(new DataPosition(1, 100_000)))
          .isInstanceOf(InvalidDataset.class)
          .hasMessageContaining("no place after batch 100000");
    }
  }

  @Test
  void splitsByFractionAndByNumberWithoutOverlap() {
    Corpus corpus = random(2);
    List<String> all = epoch(corpus.all(), plan(1), 0);
    for (double size : new double[] {0.25, 60}) {
      Corpus.Split split = corpus.split(size, 7);
      List<String> train = epoch(split.train(), plan(1), 0);
      List<String> held = epoch(split.validation(), plan(1), 0);
      assertThat(train).doesNotContainAnyElementsOf(held);
      assertThat(train.size() + held.size()).isEqualTo(all.size());
      assertThat(epoch(corpus.split(size, 7).validation(), plan(1), 0)).isEqualTo(held);
      assertThat(epoch(corpus.split(size, 8).validation(), plan(1), 0)).isNotEqualTo(held);
    }
    assertThat(corpus.split(60, 7).validation().report().kept()).isEqualTo(60);
    assertThat(corpus.split(0.25, 7).validation().report().kept())
        .isEqualTo(Math.round(0.25 * corpus.all().report().kept()));
    assertThat(corpus.split(0, 7).validation().isEmpty()).isTrue();
    assertThatThrownBy(() -> corpus.split(1e6, 7)).hasMessageContaining("held out for validation");
    assertThatThrownBy(() -> corpus.split(-1, 7)).hasMessageContaining("held out for validation");
  }

  /** A tenth of 20 was between none and five of them. */
  @ParameterizedTest
  @CsvSource({"20, 0.1, 2", "10, 0.1, 1", "3, 0.1, 1", "2, 0.5, 1", "5, 0.5, 3", "2, 0.001, 1"})
  void holdsOutTheFractionAskedFor(int samples, double fraction, int expected) {
    // Rows that are left out count on neither side.
    Corpus corpus = corpus(source("a", 2 * samples, i -> "x".repeat(i % 2 == 0 ? 5 : 40)));
    for (long seed = 0; seed < 50; seed++) {
      Corpus.Split split = corpus.split(fraction, seed);
      assertThat(split.validation().report().kept()).isEqualTo(expected);
      assertThat(split.train().report().kept()).isEqualTo(samples - expected);
    }
  }

  @Test
  void aSampleAloneIsNotHeldOut() {
    assertThatThrownBy(() -> corpus(source("one.jsonl", 1, i -> "a")).split(0.5, 1))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("one.jsonl: holding out 1 of 1 samples leaves none to train on");
  }

  @Test
  void saysWhenNothingIsLeft() {
    assertThatThrownBy(() -> corpus(source("empty.jsonl", 0, i -> "")))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("empty.jsonl: the dataset has no rows");
    assertThatThrownBy(() -> corpus(source("long.jsonl", 4, i -> "x".repeat(99))))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("long.jsonl: nothing is left to train on")
        .hasMessageContaining("4 too long");
  }

  @Test
  void saysHowManyRowsAreBadAndTheFirstOfEachKind() {
    SampleMaker strict =
        new SampleMaker(
            new CharTokenizer(), new Completion("text"), LENGTH, ExcessLength.RAISE, false);
    IntFunction<String> text = i -> i % 1000 == 7 ? "x".repeat(40 + i / 1000) : "a";
    List<Dataset> datasets = List.of(new Dataset(source("bad.jsonl", 5000, text), strict));
    assertThatThrownBy(() -> Corpus.scan(datasets))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("bad.jsonl: 5 of 5,000 rows cannot be used:")
        .hasMessageContaining("bad.jsonl, row 8: the sample has 42 tokens")
        .hasMessageContaining("(5 such rows)")
        .message()
        .doesNotContain("row 1008");
    assertThatThrownBy(() -> Corpus.scan(datasets, 4)).hasMessageContaining("5 of 5,000 rows");
    assertThatThrownBy(() -> Corpus.scan(datasets, 0.0009)).hasMessageContaining("5 of 5,000");
    for (double allowed : new double[] {5, 0.001}) {
      DataReport report = Corpus.scan(datasets, allowed).all().report();
      assertThat(report.rows()).isEqualTo(5000);
      assertThat(report.kept()).isEqualTo(4995);
      assertThat(report.bad().count()).isEqualTo(5);
      assertThat(report.summary()).contains("5 bad, left out");
      assertThat(report.bad().sentences()).singleElement().asString().contains("row 8");
    }
  }

  /** Their samples keep their places, and a bad row comes in no batch. */
  @Test
  void goesOnWithoutBadRows() {
    SampleMaker strict =
        new SampleMaker(
            new CharTokenizer(), new Completion("text"), LENGTH, ExcessLength.RAISE, false);
    IntFunction<String> text = i -> i == 3 ? "x".repeat(99) : "t" + i;
    Corpus corpus = Corpus.scan(List.of(new Dataset(source("bad.jsonl", 6, text), strict)), 0.5);
    BatchPlan plan = new BatchPlan(2, LENGTH, false, Optional.empty());
    assertThat(epoch(corpus.all(), plan, 0)).containsExactly("t0", "t1", "t2", "t4", "t5");
  }

  @Test
  void namesTheFirstBadRow() {
    SampleMaker strict =
        new SampleMaker(
            new CharTokenizer(), new Completion("text"), LENGTH, ExcessLength.RAISE, false);
    RowSource source = source("bad.jsonl", 5000, i -> i == 3000 ? "x".repeat(99) : "a");
    assertThatThrownBy(() -> Corpus.scan(List.of(new Dataset(source, strict))))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("bad.jsonl, row 3001:");
  }

  /**
   * Before the first batch is out, only the shuffle buffer and the packing window have been read.
   */
  @Test
  void aMillionRowsAreStreamed() {
    int[] read = new int[1];
    SampleMaker cheap =
        new SampleMaker(
            new CharTokenizer(), new Completion("text"), LENGTH, ExcessLength.DROP, false);
    RowSource source =
        Rows.generated(
            "generated",
            1_000_000,
            i -> {
              read[0] = i;
              return "r" + i;
            });
    Corpus corpus = Corpus.scan(List.of(new Dataset(source, cheap)));
    assertThat(corpus.all().report().kept()).isEqualTo(1_000_000);
    BatchPlan plan = new BatchPlan(4, LENGTH, true, Optional.of(new Shuffle(1, 1000)));
    try (BatchStream stream = corpus.all().batches(plan)) {
      stream.next();
      assertThat(read[0]).as("rows read for the first batch").isBetween(1000, 1000 + Packed.WINDOW);
    }
    assertThat(corpus.all().countBatches(plan, 0)).isBetween(80_000L, 84_000L);
  }

  private static BatchPlan plan(long seed) {
    return new BatchPlan(2, LENGTH, true, Optional.of(new Shuffle(seed, 40)));
  }

  /** About 300 distinct rows of mixed length in three shards, some of them too long. */
  private static Corpus random(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      texts.add(i + ":" + "x".repeat(random.nextInt(30)));
    }
    return corpus(
        source("a", 100, texts::get),
        source("b", 50, i -> texts.get(100 + i)),
        source("c", 150, i -> texts.get(150 + i)));
  }

  private static RowSource source(String name, int rows, IntFunction<String> text) {
    return Rows.generated(name, rows, text);
  }

  private static Corpus corpus(RowSource... sources) {
    return Corpus.scan(Arrays.stream(sources).map(s -> new Dataset(s, MAKER)).toList());
  }

  private static List<String> epoch(Subset subset, BatchPlan plan, long epoch) {
    List<String> texts = new ArrayList<>();
    try (BatchStream stream = subset.batches(plan, epoch + 1)) {
      stream.skipTo(new DataPosition(epoch, 0));
      stream.forEachRemaining(batch -> texts.addAll(samples(batch)));
    }
    return texts;
  }

  /**
   * The texts of the samples in a batch; also checks that positions and targets keep within each
   * sample.
   */
  private static List<String> samples(Batch batch) {
    List<String> texts = new ArrayList<>();
    for (int s = 0; s < batch.samples(); s++) {
      int from = batch.starts()[s];
      int to = batch.starts()[s + 1];
      int[] tokens = Arrays.copyOfRange(batch.tokens(), from, to);
      assertThat(tokens[0]).isEqualTo(CharTokenizer.BOS);
      assertThat(tokens[tokens.length - 1]).isEqualTo(CharTokenizer.EOS);
      int[] positions = IntStream.range(0, to - from).toArray();
      assertThat(Arrays.copyOfRange(batch.positions(), from, to)).isEqualTo(positions);
      int[] next = Arrays.copyOfRange(tokens, 1, tokens.length + 1);
      next[next.length - 1] = Batch.IGNORE;
      assertThat(Arrays.copyOfRange(batch.targets(), from, to)).isEqualTo(next);
      texts.add(new CharTokenizer().decode(tokens, true));
    }
    return texts;
  }
}
