package dev.nibble.compute.kernels.cpu.work;

import dev.nibble.compute.tensor.Tensor;

/**
 * Parallel loops over tensors: elements, rows or columns are split among workers, and a worker's
 * share into chunks that stay in its cache.
 */
public final class ParallelLoops {
  /** Elements of a chunk: five float32 operands of this size fit the L1 cache. */
  public static final long CHUNK = 1024;

  /** Elements that are worth a second thread. */
  private static final long GRAIN = 4096;

  private final Workers workers;
  private final WorkerArena[] arenas;

  /** Loops on these workers, each with an arena over its scratch. */
  public ParallelLoops(Workers workers, WorkerScratch scratch) {
    this.workers = workers;
    arenas = new WorkerArena[workers.threads()];
    for (int i = 0; i < arenas.length; i++) {
      arenas[i] = new WorkerArena(i, scratch.of(i));
    }
  }

  /** Works on elements {@code from} to {@code from + n}. */
  public interface Chunk {
    void run(WorkerArena arena, long from, long n);
  }

  /** Works on one row, or one item. */
  public interface Row {
    void run(WorkerArena arena, long row);
  }

  /** Every element once. */
  public void each(long elements, Chunk chunk) {
    each(elements, GRAIN, chunk);
  }

  /** Every element once, a thread taking at least {@code grain}. */
  public void each(long elements, long grain, Chunk chunk) {
    workers.split(
        elements,
        grain,
        (worker, from, to) -> {
          WorkerArena f = arenas[worker];
          for (long at = from; at < to; at += CHUNK) {
            f.release(0);
            chunk.run(f, at, Math.min(CHUNK, to - at));
          }
        });
  }

  /** Every row of {@code cols} elements once. */
  public void rows(long rows, long cols, Row row) {
    workers.split(
        rows,
        Math.max(1, GRAIN / Math.max(1, cols)),
        (worker, from, to) -> {
          WorkerArena f = arenas[worker];
          for (long n = from; n < to; n++) {
            f.release(0);
            row.run(f, n);
          }
        });
  }

  /** Every item once, one at a time: they may be of unequal cost. */
  public void items(long items, Row item) {
    workers.each(
        items,
        (worker, from, to) -> {
          WorkerArena f = arenas[worker];
          for (long i = from; i < to; i++) {
            f.release(0);
            item.run(f, i);
          }
        });
  }

  /** Every column once: one chunk for each worker, of at least {@code grain} columns. */
  public void columns(long cols, long grain, Chunk chunk) {
    workers.split(
        cols,
        grain,
        (worker, from, to) -> {
          WorkerArena f = arenas[worker];
          f.release(0);
          chunk.run(f, from, to - from);
        });
  }

  /** The rows of a tensor of any shape whose last dimensions have {@code cols} elements. */
  public static long rowsOf(Tensor t, long cols) {
    return cols == 0 ? 0 : t.elements() / cols;
  }
}
