package dev.nibble.data.batching;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;

/** The lengths that a {@link SampleCursor} would give, without reading any row. */
final class LengthCursor implements Iterator<Integer> {
  private final ShardOrder order;
  private final Subset subset;
  private final Map<Integer, Integer> rows = new HashMap<>(); // taken so far, by shard
  private int ahead; // 0 at the end

  LengthCursor(ShardOrder order, Subset subset) {
    this.order = order;
    this.subset = subset;
    ahead = read();
  }

  private int read() {
    while (order.hasNext()) {
      Shard shard = order.next();
      int row = rows.merge(shard.number(), 1, Integer::sum) - 1;
      if (subset.wants(shard, row)) {
        return shard.table().length(row);
      }
    }
    return 0;
  }

  @Override
  public boolean hasNext() {
    return ahead > 0;
  }

  @Override
  public Integer next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    int length = ahead;
    ahead = read();
    return length;
  }
}
