package dev.nibble.api.wiring;

import dev.nibble.data.Batch;
import dev.nibble.data.batching.BatchPlan;
import dev.nibble.data.batching.BatchStream;
import dev.nibble.data.batching.DataPosition;
import dev.nibble.data.batching.Subset;
import dev.nibble.trainer.train.BatchSource;

/** The micro-batches of a subset, epoch after epoch, as the loop takes them. */
public final class EndlessBatches implements BatchSource, AutoCloseable {
  private final Subset subset;
  private final BatchPlan plan;
  private final BatchStream stream;
  private long countedEpoch = -1;
  private long batchesInEpoch;

  public EndlessBatches(Subset subset, BatchPlan plan) {
    this.subset = subset;
    this.plan = plan;
    this.stream = subset.batches(plan);
  }

  @Override
  public Batch next() {
    return stream.next();
  }

  @Override
  public boolean endsEpoch() {
    return stream.endsEpoch();
  }

  @Override
  public Position position() {
    DataPosition at = stream.position();
    return new Position(at.epoch(), at.batchesInEpoch());
  }

  @Override
  public void skipTo(Position position) {
    stream.skipTo(new DataPosition(position.epoch(), position.batches()));
  }

  @Override
  public double epoch() {
    DataPosition at = stream.position();
    if (at.epoch() != countedEpoch) {
      countedEpoch = at.epoch();
      batchesInEpoch = subset.countBatches(plan, countedEpoch);
    }
    return at.epoch() + (double) at.batchesInEpoch() / batchesInEpoch;
  }

  @Override
  public void close() {
    stream.close();
  }
}
