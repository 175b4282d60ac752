package dev.nibble.compute.kernels.cpu.attention;

import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import java.lang.foreign.MemorySegment;

/** The matrix products of attention's blocks, on the calling thread and with sums in float32. */
interface BlockProducts {
  /** One head of tokens {@code token} and on: an operand. */
  record Rows(HeadsView of, long token, long head) {
    /** Where it starts. */
    long address() {
      HeadsView h = of;
      return h.tensor().memory().address() + h.tensor().dtype().bytes() * h.element(token, head);
    }

    HeadsView.Block read(WorkerArena f, long tokens) {
      return of.read(f, token, head, tokens);
    }
  }

  /** Floats from one query's scores to the next, for blocks of so many keys. */
  long stride(long keys);

  /** The most keys of a block. */
  long mostKeys(long queries, long size);

  /** scores [queries, keys] = scale q k^T. May overwrite the rest of each row's stride. */
  void scores(
      WorkerArena f, Rows q, long queries, Rows k, long keys, float scale, MemorySegment scores);

  /** out [queries, D] += scale p v, for p as {@link #scores} lie. */
  void addWeighted(
      WorkerArena f,
      MemorySegment p,
      long queries,
      Rows v,
      long keys,
      float scale,
      MemorySegment out);

  /** out [keys, D] += scale p^T q. */
  void addTransposed(
      WorkerArena f,
      MemorySegment p,
      long queries,
      Rows q,
      long keys,
      float scale,
      MemorySegment out);
}
