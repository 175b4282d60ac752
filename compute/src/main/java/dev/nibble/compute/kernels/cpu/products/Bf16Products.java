package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import dev.nibble.compute.kernels.cpu.onednn.MatMuls;
import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.kernels.cpu.work.WorkerScratch;
import dev.nibble.compute.kernels.cpu.work.Workers;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * Products of bfloat16 with sums in float32: C = alpha A B + beta C, beta 0 or 1. The right factor
 * is laid out in panels, one or two at a time, each in the scratch of the worker that multiplies by
 * them at once. A long inner dimension is taken in parts, so that panels stay in a core's cache.
 */
final class Bf16Products {
  private static final int BLOCK = 2 * MatMul.PANEL; // columns of most blocks of the output
  private static final int MOST_K = 4096; // of a part
  private static final int PART_STEP = 128; // what a part's length is a multiple of

  // Scratch of a worker: panels, the packer's stage, and float32 sums of a block.
  private static final long STAGE = 2L * BLOCK * MOST_K;
  private static final long SUMS = STAGE + Panels.STAGE_BYTES;
  private static final int MOST_SUM_ROWS = 4096;

  private final MatMuls matMuls;
  private final Workers workers;
  private final WorkerScratch scratch;

  Bf16Products(MatMuls matMuls, Workers workers, WorkerScratch scratch) {
    this.matMuls = matMuls;
    this.workers = workers;
    this.scratch = scratch;
  }

  /**
   * The left factor, [m, k] of bfloat16.
   *
   * @param transposed whether it is stored as [k, m]
   * @param stride elements from one stored row to the next
   */
  record Left(long address, boolean transposed, long stride) {
    /** Its element (i, j). */
    long at(long i, long j) {
      return address + 2 * (transposed ? i + j * stride : i * stride + j);
    }
  }

  /** Lays out columns j to j + n of the right factor, rows i to i + k; see {@link Panels}. */
  interface Right {
    void pack(MemorySegment panels, long i, int k, long j, int n, MemorySegment stage);
  }

  /** out [m, n] = alpha left right, or += of it. */
  void multiply(
      Tensor out, long m, long n, long k, Left left, Right right, float alpha, boolean add) {
    if (m == 0 || n == 0) {
      return;
    }
    if (k == 0) {
      if (!add) {
        out.memory().fill((byte) 0);
      }
      return;
    }
    if (k <= MOST_K) {
      whole(out, m, n, (int) k, left, right, alpha, add);
    } else {
      inParts(out, m, n, k, left, right, alpha, add);
    }
  }

  private void whole(
      Tensor out, long m, long n, int k, Left left, Right right, float alpha, boolean add) {
    boolean floats = out.dtype() == DType.F32;
    var grid = new Grid(m, n, Integer.MAX_VALUE);
    MatMul ofLast = product(grid.last, k, left, floats, n, alpha, add);
    MatMul ofBlock = product(grid.width, k, left, floats, n, alpha, add);
    grid.prepare(ofBlock)
        .prepare(ofLast)
        .run((worker, row, rows, col, cols, panels, stage) -> {
          right.pack(panels, 0, k, col, cols, stage);
          MatMul product = cols == grid.width ? ofBlock : ofLast;
          product.run(
              worker,
              rows,
              left.at(row, 0),
              panels.address(),
              out.memory().address() + out.dtype().bytes() * (row * n + col));
        });
  }

  /** Sums of parts of a long inner dimension, and of what out holds, that are rounded once. */
  private void inParts(
      Tensor out, long m, long n, long k, Left left, Right right, float alpha, boolean add) {
    int parts = (int) Math.ceilDiv(k, MOST_K);
    int part = (int) Math.ceilDiv(Math.ceilDiv(k, parts), PART_STEP) * PART_STEP;
    var grid = new Grid(m, n, MOST_SUM_ROWS);
    MatMul[] ofBlock = new MatMul[parts];
    MatMul[] ofLast = new MatMul[parts];
    for (int p = 0; p < parts; p++) {
      int length = (int) Math.min(part, k - (long) p * part);
      boolean sums = add || p > 0;
      ofBlock[p] = product(grid.width, length, left, true, BLOCK, alpha, sums);
      ofLast[p] = product(grid.last, length, left, true, BLOCK, alpha, sums);
      grid.prepare(ofBlock[p]).prepare(ofLast[p]);
    }
    grid.run((worker, row, rows, col, cols, panels, stage) -> {
      MemorySegment sums = scratch.of(worker).asSlice(SUMS);
      for (long r = 0; add && r < rows; r++) {
        Conversion.widen(out, (row + r) * n + col, sums, r * BLOCK, cols);
      }
      MatMul[] products = cols == grid.width ? ofBlock : ofLast;
      for (int p = 0; p < parts; p++) {
        long i = (long) p * part;
        right.pack(panels, i, (int) Math.min(part, k - i), col, cols, stage);
        products[p].run(worker, rows, left.at(row, i), panels.address(), sums.address());
      }
      for (long r = 0; r < rows; r++) {
        Conversion.narrow(sums, r * BLOCK, out, (row + r) * n + col, cols);
      }
    });
  }

  private MatMul product(
      int n, int k, Left left, boolean floats, long ldc, float alpha, boolean add) {
    return matMuls.of(
        new MatMul.Shape(n, k, left.transposed(), left.stride(), floats, ldc, alpha, add));
  }

  /** A block of the output. */
  private interface Block {
    void run(
        int worker,
        long row,
        long rows,
        long col,
        int cols,
        MemorySegment panels,
        MemorySegment stage);
  }

  /**
   * The output in blocks: one or two panels of columns, whichever keeps all workers busy, and as
   * many blocks of rows as do.
   */
  private final class Grid {
    private final int width; // columns of all blocks but the last
    private final int last;
    private final long m;
    private final long n;
    private final long blocks; // from left to right
    private final long rows;

    Grid(long m, long n, long mostRows) {
      this.m = m;
      this.n = n;
      long busy = 2L * workers.threads();
      width = (int) Math.min(n, n >= busy * BLOCK ? BLOCK : MatMul.PANEL);
      blocks = Math.ceilDiv(n, width);
      last = (int) (n - (blocks - 1) * width);
      long rowBlocks = blocks >= busy ? 1 : workers.threads();
      long even = Math.ceilDiv(Math.ceilDiv(m, rowBlocks), 16) * 16;
      rows = Math.min(m, Math.min(even, mostRows));
    }

    Grid prepare(MatMul product) {
      product.prepare(rows);
      product.prepare(m % rows);
      return this;
    }

    void run(Block block) {
      workers.each(
          blocks * Math.ceilDiv(m, rows),
          (worker, from, to) -> {
            MemorySegment room = scratch.of(worker);
            MemorySegment stage = room.asSlice(STAGE, Panels.STAGE_BYTES);
            for (long i = from; i < to; i++) {
              long col = i % blocks * width;
              long row = i / blocks * rows;
              block.run(
                  worker,
                  row,
                  Math.min(rows, m - row),
                  col,
                  (int) Math.min(width, n - col),
                  room,
                  stage);
            }
          });
    }
  }
}
