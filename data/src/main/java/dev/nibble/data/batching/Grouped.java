package dev.nibble.data.batching;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** Items in groups of {@code size}, the last group with what remains. */
final class Grouped<T> implements Iterator<List<T>> {
  private final Iterator<T> in;
  private final int size;

  Grouped(Iterator<T> in, int size) {
    this.in = in;
    this.size = size;
  }

  @Override
  public boolean hasNext() {
    return in.hasNext();
  }

  @Override
  public List<T> next() {
    if (!in.hasNext()) {
      throw new NoSuchElementException();
    }
    List<T> group = new ArrayList<>(size);
    while (group.size() < size && in.hasNext()) {
      group.add(in.next());
    }
    return group;
  }
}
