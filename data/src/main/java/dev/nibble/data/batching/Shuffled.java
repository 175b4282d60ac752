package dev.nibble.data.batching;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** Items in an order shuffled through a buffer. */
final class Shuffled<T> implements Iterator<T> {
  private final Iterator<T> in;
  private final int capacity;
  private final SplitMix random;
  private final List<T> buffer = new ArrayList<>();

  Shuffled(Iterator<T> in, int capacity, SplitMix random) {
    this.in = in;
    this.capacity = capacity;
    this.random = random;
  }

  @Override
  public boolean hasNext() {
    return !buffer.isEmpty() || in.hasNext();
  }

  @Override
  public T next() {
    while (buffer.size() < capacity && in.hasNext()) {
      buffer.add(in.next());
    }
    if (buffer.isEmpty()) {
      throw new NoSuchElementException();
    }
    int place = random.nextInt(buffer.size());
    T last = buffer.removeLast();
    return place == buffer.size() ? last : buffer.set(place, last);
  }
}
