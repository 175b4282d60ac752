package dev.nibble.api.wiring;

import dev.nibble.data.Batch;
import dev.nibble.data.batching.BatchPlan;
import dev.nibble.data.batching.BatchStream;
import dev.nibble.data.batching.DataPosition;
import dev.nibble.data.batching.Subset;
import dev.nibble.trainer.train.BatchSource;

/** The micro-batches of a subset, epoch after epoch, as the loop takes them. */
public final class EndlessBatches implements BatchSource, AutoCloseable {
  private final BatchStream stream;
  private final long samples;

  public EndlessBatches(Subset subset, BatchPlan plan) {
    this.stream = subset.batches(plan);
    this.samples = subset.report().kept();
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
    return stream.epoch() + (double) stream.samplesInEpoch() / samples;
  }

  @Override
  public void close() {
    stream.close();
  }
}
