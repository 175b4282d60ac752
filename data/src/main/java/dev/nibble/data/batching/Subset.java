package dev.nibble.data.batching;

import dev.nibble.data.samples.DataReport;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;

/** Some of the rows of a corpus, as micro-batches. */
public final class Subset {
  /** Test of whether a row belongs to a subset. */
  @FunctionalInterface
  interface Membership {
    boolean contains(int shard, int row);
  }

  // What an epoch draws random numbers for.
  private static final int SHARDS = 0;
  private static final int SAMPLES = 1;
  private static final int ROWS = 2;

  private final List<Shard> shards;
  private final Membership members;
  private final DataReport report;

  Subset(List<Shard> shards, Membership members) {
    this.shards = shards;
    this.members = members;
    DataReport sum = DataReport.NONE;
    for (Shard shard : shards) {
      sum = shard.table().report(sum, row -> members.contains(shard.number(), row));
    }
    this.report = sum;
  }

  /** Counts of what became of the rows. */
  public DataReport report() {
    return report;
  }

  /** Whether there is no sample. */
  public boolean isEmpty() {
    return report.kept() == 0;
  }

  /** Micro-batches without end, one epoch after another. */
  public BatchStream batches(BatchPlan plan) {
    return batches(plan, Long.MAX_VALUE);
  }

  /** The micro-batches of some epochs. */
  public BatchStream batches(BatchPlan plan, long epochs) {
    if (report.longest() > plan.sequenceLen()) {
      throw new IllegalArgumentException(
          "a sample has %d tokens, more than the plan's sequence length %d"
              .formatted(report.longest(), plan.sequenceLen()));
    }
    if (isEmpty()) {
      throw new IllegalStateException("there is no sample to make batches of");
    }
    return new BatchStream(this, plan, epochs);
  }

  /**
   * The number of micro-batches of an epoch, found from the lengths alone. Packed epochs may differ
   * by a few.
   *
   * @param epoch from 0
   */
  public long countBatches(BatchPlan plan, long epoch) {
    Iterator<List<Integer>> groups =
        grouped(plan, epoch, new LengthCursor(order(plan, epoch), this), l -> l);
    long count = 0;
    while (groups.hasNext()) {
      groups.next();
      count++;
    }
    return count;
  }

  /** The samples of an epoch in groups, each with the tokens of one micro-batch. */
  Iterator<List<PlannedSample>> groups(BatchPlan plan, long epoch, SampleCursor cursor) {
    return grouped(plan, epoch, cursor, PlannedSample::length);
  }

  SampleCursor cursor(BatchPlan plan, long epoch) {
    return new SampleCursor(order(plan, epoch), this);
  }

  /** Whether a row is in this subset and has a sample. */
  boolean wants(Shard shard, int row) {
    return shard.table().length(row) > 0 && members.contains(shard.number(), row);
  }

  private static <T> Iterator<List<T>> grouped(
      BatchPlan plan, long epoch, Iterator<T> samples, ToIntFunction<T> length) {
    Optional<Shuffle> shuffle = plan.shuffle();
    Iterator<T> ordered =
        shuffle
            .<Iterator<T>>map(s -> new Shuffled<>(samples, s.buffer(), random(s, epoch, SAMPLES)))
            .orElse(samples);
    return plan.packing()
        ? new Packed<>(
            ordered,
            length,
            plan.sequenceLen(),
            plan.microBatchSize(),
            shuffle.map(s -> random(s, epoch, ROWS)))
        : new Grouped<>(ordered, plan.microBatchSize());
  }

  private static SplitMix random(Shuffle shuffle, long epoch, int purpose) {
    return new SplitMix(SplitMix.hash(shuffle.seed(), epoch, purpose));
  }

  /** The shards that an epoch's rows come from. */
  private ShardOrder order(BatchPlan plan, long epoch) {
    return plan.shuffle()
        .map(s -> ShardOrder.mixed(shards, random(s, epoch, SHARDS)))
        .orElseGet(() -> ShardOrder.inTurn(shards));
  }
}
