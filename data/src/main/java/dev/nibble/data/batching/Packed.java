package dev.nibble.data.batching;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.ToIntFunction;

/**
 * Items packed into groups of at most {@code capacity} tokens. A group starts with the oldest item
 * waiting, so that none waits for ever, and takes the longest item that still fits from a
 * look-ahead window until none does.
 */
final class Packed<T> implements Iterator<List<T>> {
  private static final int WINDOW = 256;

  private final Iterator<T> in;
  private final ToIntFunction<T> length;
  private final int capacity;
  private final List<T> window = new ArrayList<>(WINDOW);

  Packed(Iterator<T> in, ToIntFunction<T> length, int capacity) {
    this.in = in;
    this.length = length;
    this.capacity = capacity;
  }

  @Override
  public boolean hasNext() {
    return !window.isEmpty() || in.hasNext();
  }

  @Override
  public List<T> next() {
    refill();
    if (window.isEmpty()) {
      throw new NoSuchElementException();
    }
    List<T> group = new ArrayList<>();
    int room = capacity;
    int place = 0;
    while (place >= 0) {
      T item = window.remove(place);
      group.add(item);
      room -= length.applyAsInt(item);
      refill();
      place = longestWithin(room);
    }
    return group;
  }

  private void refill() {
    while (window.size() < WINDOW && in.hasNext()) {
      window.add(in.next());
    }
  }

  /**
   * The place of the longest item of at most {@code room} tokens, the oldest among equals; -1 when
   * there is none.
   */
  private int longestWithin(int room) {
    int best = -1;
    int bestLength = 0;
    for (int i = 0; i < window.size(); i++) {
      int l = length.applyAsInt(window.get(i));
      if (l <= room && l > bestLength) {
        best = i;
        bestLength = l;
      }
    }
    return best;
  }
}
