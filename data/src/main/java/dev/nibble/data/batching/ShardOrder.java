package dev.nibble.data.batching;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * The shards that an epoch's rows come from, one for each row. In the order of the datasets, or
 * mixed: the next row comes from one of a few open shards, each as likely as it has rows left, and
 * a shard that is read to its end makes place for the next. So datasets that lie one behind the
 * other are mixed from the first row to the last, however large they are.
 */
final class ShardOrder implements Iterator<Shard> {
  /** Files that are open at once; each holds a buffer or a batch of rows. */
  static final int MOST_OPEN = 8;

  /** A shard with rows that are still to come. */
  private static final class Open {
    private final Shard shard;
    private int left;

    private Open(Shard shard) {
      this.shard = shard;
      this.left = shard.table().rows();
    }
  }

  private final Iterator<Shard> waiting;
  private final int mostOpen;
  private final SplitMix random;
  private final List<Open> open = new ArrayList<>();
  private long left; // of all open ones

  private ShardOrder(List<Shard> shards, int mostOpen, SplitMix random) {
    this.waiting = shards.iterator();
    this.mostOpen = mostOpen;
    this.random = random;
    fill();
  }

  /** One shard after another. */
  static ShardOrder inTurn(List<Shard> shards) {
    return new ShardOrder(shards, 1, new SplitMix(0));
  }

  /** Mixed. */
  static ShardOrder mixed(List<Shard> shards, SplitMix random) {
    List<Shard> shuffled = new ArrayList<>(shards);
    random.shuffle(shuffled);
    return new ShardOrder(shuffled, MOST_OPEN, random);
  }

  private void fill() {
    while (open.size() < mostOpen && waiting.hasNext()) {
      Open next = new Open(waiting.next());
      if (next.left > 0) {
        open.add(next);
        left += next.left;
      }
    }
  }

  @Override
  public boolean hasNext() {
    return left > 0;
  }

  @Override
  public Shard next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Open drawn = draw();
    drawn.left--;
    left--;
    if (drawn.left == 0) {
      open.remove(drawn);
      fill();
    }
    return drawn.shard;
  }

  private Open draw() {
    if (open.size() == 1) {
      return open.getFirst();
    }
    long row = random.nextLong(left);
    int i = 0;
    while (row >= open.get(i).left) {
      row -= open.get(i).left;
      i++;
    }
    return open.get(i);
  }
}
