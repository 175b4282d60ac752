package dev.nibble.compute.kernels.cpu.attention;

import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import dev.nibble.compute.kernels.cpu.onednn.MatMuls;
import dev.nibble.compute.kernels.cpu.products.Panels;
import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.kernels.cpu.work.UncheckedMemory;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import java.lang.foreign.MemorySegment;

/**
 * Products in bfloat16: activations are used in place or packed into panels, and probabilities and
 * their gradients are rounded to bfloat16. oneDNN compiles a product for fixed sizes, so inner
 * dimensions are padded with zeros to one of a few sizes, which are compiled in advance.
 */
final class Bf16BlockProducts implements BlockProducts {
  /** The fewest queries of a segment for which packing its keys pays off. */
  static final long FEWEST_QUERIES = 32;

  private static final int MOST_KEYS = 512;
  private static final int MOST_STEPS = 3; // of what is left over after parts of 128
  private static final long STRIDE = MOST_KEYS + 16; // not all rows in the same cache sets

  private final MatMuls matMuls;

  Bf16BlockProducts(MatMuls matMuls) {
    this.matMuls = matMuls;
  }

  @Override
  public long stride(long keys) {
    return STRIDE;
  }

  @Override
  public long mostKeys(long queries, long size) {
    return Math.min(MOST_KEYS, AttentionSegment.keyBlock(queries, size));
  }

  // ---- compiled products ----

  private MatMul ofScores(HeadsView q, float scale) {
    int size = (int) q.size();
    return matMuls.of(
        new MatMul.Shape(MatMul.PANEL, size, false, q.heads() * size, true, STRIDE, scale, false));
  }

  private MatMul ofWeighted(long size, int keys, float scale) {
    return matMuls.of(new MatMul.Shape((int) size, keys, false, STRIDE, true, size, scale, true));
  }

  private MatMul ofTransposed(long size, int queries, float scale) {
    return matMuls.of(new MatMul.Shape((int) size, queries, true, STRIDE, true, size, scale, true));
  }

  /**
   * The number of keys that the next product takes: a power of two, or the rest rounded up to whole
   * steps.
   */
  private static int part(long keys) {
    return keys >= 4 * MatMul.STEP ? Integer.highestOneBit((int) keys) : (int) filled(keys);
  }

  private static long filled(long n) {
    return Math.ceilDiv(n, MatMul.STEP) * MatMul.STEP;
  }

  /** Compiles {@link #scores} for blocks of so many queries. Not while workers run. */
  void prepareScores(HeadsView q, long queries, float scale) {
    ofScores(q, scale).prepare(queries);
  }

  /** Compiles {@link #addWeighted} for so many queries and at most so many keys. */
  void prepareWeighted(long size, long queries, long keys, float scale) {
    for (int steps = 1; steps <= MOST_STEPS; steps++) {
      ofWeighted(size, steps * MatMul.STEP, scale).prepare(queries);
    }
    for (int part = 4 * MatMul.STEP; part <= Math.min(MOST_KEYS, filled(keys)); part *= 2) {
      ofWeighted(size, part, scale).prepare(queries);
    }
  }

  /** Compiles {@link #addTransposed} for so many queries and at most so many keys. */
  void prepareTransposed(long size, long queries, long keys, float scale) {
    if (queries > 0) {
      long most = Math.min(MOST_KEYS, keys);
      ofTransposed(size, (int) filled(queries), scale).prepare(2 * Long.highestOneBit(most) - 1);
    }
  }

  // ---- products ----

  @Override
  public void scores(
      WorkerArena f, Rows q, long queries, Rows k, long keys, float scale, MemorySegment scores) {
    long mark = f.mark();
    int size = (int) q.of().size();
    MatMul product = ofScores(q.of(), scale);
    MemorySegment stage = f.allocate(Panels.STAGE_BYTES / 4);
    MemorySegment panel = f.allocate(MatMul.elements(size, MatMul.PANEL) / 2);
    Panels right = k.of().panels();
    for (long at = 0; at < keys; at += MatMul.PANEL) {
      int n = (int) Math.min(MatMul.PANEL, keys - at);
      right.transposed(panel, k.token() + at, n, k.head() * size, size, stage);
      product.run(f.worker(), queries, q.address(), panel.address(), scores.address() + 4 * at);
    }
    f.release(mark);
  }

  @Override
  public void addWeighted(
      WorkerArena f,
      MemorySegment p,
      long queries,
      Rows v,
      long keys,
      float scale,
      MemorySegment out) {
    long mark = f.mark();
    long size = v.of().size();
    long left = rounded(f, p, queries, queries, keys);
    for (long at = 0; at < keys; ) {
      int part = part(keys - at);
      int rows = (int) Math.min(part, keys - at);
      long inner = f.mark();
      long panels = panels(f, v, at, rows);
      ofWeighted(size, part, scale).run(f.worker(), queries, left + 2 * at, panels, out.address());
      f.release(inner);
      at += rows;
    }
    f.release(mark);
  }

  @Override
  public void addTransposed(
      WorkerArena f,
      MemorySegment p,
      long queries,
      Rows q,
      long keys,
      float scale,
      MemorySegment out) {
    long mark = f.mark();
    long filled = filled(queries);
    long left = rounded(f, p, queries, filled, keys);
    long panels = panels(f, q, 0, (int) queries);
    ofTransposed(q.of().size(), (int) filled, scale)
        .run(f.worker(), keys, left, panels, out.address());
    f.release(mark);
  }

  /** p in bfloat16, padded with zeros to the sizes of the compiled product. */
  private static long rounded(
      WorkerArena f, MemorySegment p, long queries, long filled, long keys) {
    MemorySegment packed = f.allocate(filled * STRIDE / 2);
    int behind = (int) (filled(keys) - keys);
    for (long i = 0; i < queries; i++) {
      Conversion.narrowBf16(p, i * STRIDE, packed, i * STRIDE, keys);
      UncheckedMemory.zeroShorts(packed.address() + 2 * (i * STRIDE + keys), behind);
    }
    for (long i = queries; i < filled; i++) {
      UncheckedMemory.zeroShorts(packed.address() + 2 * i * STRIDE, (int) keys);
    }
    return packed.address();
  }

  /** Rows {@code from} and on as a right factor [rows, D]. */
  private static long panels(WorkerArena f, Rows of, long from, int rows) {
    int size = (int) of.of().size();
    MemorySegment stage = f.allocate(Panels.STAGE_BYTES / 4);
    MemorySegment packed = f.allocate(MatMul.elements(rows, size) / 2);
    of.of().panels().straight(packed, of.token() + from, rows, of.head() * size, size, stage);
    return packed.address();
  }
}
