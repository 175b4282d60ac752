package dev.nibble.data.batching;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** The lengths that a {@link SampleCursor} would give, without reading any row. */
final class LengthCursor implements Iterator<Integer> {
  private final List<Shard> order;
  private final Subset subset;
  private int shard;
  private int row = -1;

  LengthCursor(List<Shard> order, Subset subset) {
    this.order = order;
    this.subset = subset;
    seek();
  }

  private void seek() {
    row++;
    while (shard < order.size()) {
      Shard current = order.get(shard);
      while (row < current.table().rows()) {
        if (subset.wants(current, row)) {
          return;
        }
        row++;
      }
      shard++;
      row = 0;
    }
  }

  @Override
  public boolean hasNext() {
    return shard < order.size();
  }

  @Override
  public Integer next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    int length = order.get(shard).table().length(row);
    seek();
    return length;
  }
}
