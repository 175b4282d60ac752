package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.tensor.Tensor;

/** Splits tensors among workers, and a worker's share into parts that stay in its cache. */
final class Stretches {
  /** Elements of a stretch: of five operands in float32, all fit the first cache. */
  static final long LENGTH = 1024;

  /** Elements that are worth a second thread. */
  private static final long GRAIN = 4096;

  private final Workers workers;
  private final Floats[] floats;

  Stretches(Workers workers, Scratch scratch) {
    this.workers = workers;
    floats = new Floats[workers.threads()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = new Floats(i, scratch.of(i));
    }
  }

  /** Works on elements {@code from} to {@code from + n}. */
  interface Stretch {
    void run(Floats floats, long from, long n);
  }

  /** Works on one row, or one item. */
  interface Row {
    void run(Floats floats, long row);
  }

  /** Every element once. */
  void each(long elements, Stretch stretch) {
    each(elements, GRAIN, stretch);
  }

  /** Every element once, a thread taking at least {@code grain}. */
  void each(long elements, long grain, Stretch stretch) {
    workers.split(
        elements,
        grain,
        (worker, from, to) -> {
          Floats f = floats[worker];
          for (long at = from; at < to; at += LENGTH) {
            f.release(0);
            stretch.run(f, at, Math.min(LENGTH, to - at));
          }
        });
  }

  /** Every row of {@code cols} elements once. */
  void rows(long rows, long cols, Row row) {
    workers.split(
        rows,
        Math.max(1, GRAIN / Math.max(1, cols)),
        (worker, from, to) -> {
          Floats f = floats[worker];
          for (long n = from; n < to; n++) {
            f.release(0);
            row.run(f, n);
          }
        });
  }

  /** Every item once, one at a time: they may be of unequal cost. */
  void items(long items, Row item) {
    workers.each(
        items,
        (worker, from, to) -> {
          Floats f = floats[worker];
          for (long i = from; i < to; i++) {
            f.release(0);
            item.run(f, i);
          }
        });
  }

  /** Every column once: one stretch for each worker, of at least {@code grain} columns. */
  void columns(long cols, long grain, Stretch stretch) {
    workers.split(
        cols,
        grain,
        (worker, from, to) -> {
          Floats f = floats[worker];
          f.release(0);
          stretch.run(f, from, to - from);
        });
  }

  /** The rows of a tensor of any shape whose last dimensions have {@code cols} elements. */
  static long rowsOf(Tensor t, long cols) {
    return cols == 0 ? 0 : t.elements() / cols;
  }
}
