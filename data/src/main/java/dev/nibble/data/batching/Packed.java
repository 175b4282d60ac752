package dev.nibble.data.batching;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToIntFunction;

/**
 * Items packed into rows of at most {@code capacity} tokens, and rows taken together in groups. A
 * window of items is packed at a time: each, in the order in which they come, goes into the row
 * that it leaves the least room in (best fit), and into a new one where it fits nowhere.
 *
 * <p>The rows of a window then come in random order. In the order in which they were begun, the
 * short items that fill gaps would come first, and the rows that are left without them last: a
 * model would be trained from one kind of sample to another in every epoch.
 */
final class Packed<T> implements Iterator<List<T>> {
  /** The most items that are held; of as many, hardly any room is wasted. */
  static final int WINDOW = 4096;

  private final Iterator<T> in;
  private final ToIntFunction<T> length;
  private final int capacity;
  private final int rowsOfGroup;
  private final Optional<SplitMix> random;
  private final Deque<List<T>> rows = new ArrayDeque<>();

  /**
   * Packs.
   *
   * @param capacity the most tokens of a row
   * @param rowsOfGroup rows of a group; the last may have fewer
   * @param random of the rows' order; empty for the order of their first items
   */
  Packed(
      Iterator<T> in,
      ToIntFunction<T> length,
      int capacity,
      int rowsOfGroup,
      Optional<SplitMix> random) {
    this.in = in;
    this.length = length;
    this.capacity = capacity;
    this.rowsOfGroup = rowsOfGroup;
    this.random = random;
  }

  @Override
  public boolean hasNext() {
    return !rows.isEmpty() || in.hasNext();
  }

  @Override
  public List<T> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    List<T> group = new ArrayList<>();
    for (int i = 0; i < rowsOfGroup && hasNext(); i++) {
      if (rows.isEmpty()) {
        List<List<T>> packed = pack();
        random.ifPresent(r -> r.shuffle(packed));
        rows.addAll(packed);
      }
      group.addAll(rows.removeFirst());
    }
    return group;
  }

  /** The rows of the next window. */
  private List<List<T>> pack() {
    List<List<T>> packed = new ArrayList<>();
    TreeMap<Integer, Deque<List<T>>> byRoom = new TreeMap<>();
    for (int i = 0; i < WINDOW && in.hasNext(); i++) {
      T item = in.next();
      int tokens = length.applyAsInt(item);
      Map.Entry<Integer, Deque<List<T>>> fitting = byRoom.ceilingEntry(tokens);
      List<T> row;
      int room;
      if (fitting == null) {
        row = new ArrayList<>();
        packed.add(row);
        room = capacity;
      } else {
        row = fitting.getValue().removeFirst();
        room = fitting.getKey();
        if (fitting.getValue().isEmpty()) {
          byRoom.remove(room);
        }
      }
      row.add(item);
      if (room > tokens) {
        byRoom.computeIfAbsent(room - tokens, r -> new ArrayDeque<>()).addLast(row);
      }
    }
    return packed;
  }
}
