package dev.nibble.trainer.toy;

import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.trainer.train.BatchSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Micro-batches of 1 to 3 samples of uneven length, in another order in each epoch. */
public final class ToyData implements BatchSource {
  private final List<Batch> batches;
  private final long seed;
  private List<Batch> order;
  private long epoch;
  private int taken;

  /** Over given batches. */
  public ToyData(List<Batch> batches, long seed) {
    this.batches = batches;
    this.seed = seed;
    this.order = shuffled(0);
  }

  /** Batches of chains t, t+1, t+2, … in a vocabulary, with the first token unsupervised. */
  public static List<Batch> chains(int count, int vocab, long seed) {
    Random random = new Random(seed);
    List<Batch> made = new ArrayList<>();
    for (int b = 0; b < count; b++) {
      List<Sample> samples = new ArrayList<>();
      for (int s = 0; s <= random.nextInt(3); s++) {
        int[] tokens = new int[2 + random.nextInt(5)];
        tokens[0] = random.nextInt(vocab);
        for (int i = 1; i < tokens.length; i++) {
          tokens[i] = (tokens[i - 1] + 1) % vocab;
        }
        boolean[] supervised = new boolean[tokens.length];
        Arrays.fill(supervised, 1, tokens.length, true);
        samples.add(new Sample(tokens, supervised));
      }
      made.add(Batch.of(samples));
    }
    return made;
  }

  private List<Batch> shuffled(long which) {
    List<Batch> list = new ArrayList<>(batches);
    Collections.shuffle(list, new Random(seed * 31 + which));
    return list;
  }

  @Override
  public Batch next() {
    if (taken == order.size()) {
      skipTo(new Position(epoch + 1, 0));
    }
    return order.get(taken++);
  }

  @Override
  public boolean endsEpoch() {
    return taken == order.size();
  }

  @Override
  public Position position() {
    return new Position(epoch, taken);
  }

  @Override
  public void skipTo(Position position) {
    epoch = position.epoch();
    taken = (int) position.batches();
    order = shuffled(epoch);
  }

  @Override
  public double epoch() {
    return epoch + (double) taken / batches.size();
  }
}
