package dev.nibble.cli.bench;

import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.trainer.train.BatchSource;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * One batch of random tokens, again and again; every token but each sample's first is supervised.
 */
final class RandomBatch implements BatchSource {
  private final Batch batch;
  private long taken;

  RandomBatch(int samples, int length, int vocabSize, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    boolean[] supervised = new boolean[length];
    Arrays.fill(supervised, true);
    batch =
        Batch.of(
            Stream.generate(
                    () -> new Sample(random.ints(length, 0, vocabSize).toArray(), supervised))
                .limit(samples)
                .toList());
  }

  Batch batch() {
    return batch;
  }

  @Override
  public Batch next() {
    taken++;
    return batch;
  }

  @Override
  public boolean endsEpoch() {
    return true;
  }

  @Override
  public Position position() {
    return new Position(taken, 0);
  }

  @Override
  public void skipTo(Position position) {
    taken = position.epoch();
  }

  @Override
  public double epoch() {
    return taken;
  }
}
