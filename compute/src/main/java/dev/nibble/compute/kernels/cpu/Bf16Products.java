package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import dev.nibble.compute.kernels.cpu.onednn.MatMuls;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * Products of bfloat16 with sums in float32: C = alpha A B + beta C, beta 0 or 1. The right factor
 * is laid out panel by panel, each in the scratch of the worker that multiplies by it at once.
 */
final class Bf16Products {
  // Scratch of a worker: a panel, the packer's stage, and float32 sums of 64 columns.
  private static final int MOST_K = 20480;
  private static final long STAGE = 2L * MatMul.PANEL * MOST_K;
  private static final long SUMS = STAGE + PanelPacker.STAGE_BYTES;
  private static final int MOST_SUM_ROWS = 1024;

  private final MatMuls matMuls;
  private final Workers workers;
  private final Scratch scratch;

  Bf16Products(MatMuls matMuls, Workers workers, Scratch scratch) {
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

  /** Lays out columns j to j + n of the right factor, rows i to i + k. */
  interface Right {
    void pack(MemorySegment panel, long i, int k, long j, int n, MemorySegment stage);
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
    int last = (int) (n - (n - 1) / MatMul.PANEL * MatMul.PANEL);
    MatMul ofLast = product(last, k, left, floats, n, alpha, add);
    MatMul ofPanel =
        n <= MatMul.PANEL ? ofLast : product(MatMul.PANEL, k, left, floats, n, alpha, add);
    new Grid(m, n, MOST_ROWS)
        .prepare(ofPanel)
        .prepare(ofLast)
        .run((worker, row, rows, col, cols, panel, stage) -> {
          right.pack(panel, 0, k, col, cols, stage);
          MatMul product = cols == MatMul.PANEL ? ofPanel : ofLast;
          product.run(
              worker,
              rows,
              left.at(row, 0),
              panel.address(),
              out.memory().address() + out.dtype().bytes() * (row * n + col));
        });
  }

  /** Sums of parts of a long inner dimension, in float32, that are rounded once. */
  private void inParts(
      Tensor out, long m, long n, long k, Left left, Right right, float alpha, boolean add) {
    int parts = (int) Math.ceilDiv(k, MOST_K);
    int part = (int) Math.ceilDiv(Math.ceilDiv(k, parts), MatMul.STEP) * MatMul.STEP;
    int lastPart = (int) (k - (long) part * (parts - 1));
    int last = (int) (n - (n - 1) / MatMul.PANEL * MatMul.PANEL);
    MatMul[][] products = new MatMul[2][3];
    int[] widths = {MatMul.PANEL, last};
    Grid grid = new Grid(m, n, MOST_SUM_ROWS);
    for (int w = 0; w < widths.length; w++) {
      products[w][0] = product(widths[w], part, left, true, MatMul.PANEL, alpha, false);
      products[w][1] = product(widths[w], part, left, true, MatMul.PANEL, alpha, true);
      products[w][2] = product(widths[w], lastPart, left, true, MatMul.PANEL, alpha, true);
      for (MatMul product : products[w]) {
        grid.prepare(product);
      }
    }
    grid.run((worker, row, rows, col, cols, panel, stage) -> {
      MemorySegment sums = scratch.of(worker).asSlice(SUMS);
      MatMul[] of = products[cols == MatMul.PANEL ? 0 : 1];
      for (int p = 0; p < parts; p++) {
        long i = (long) p * part;
        right.pack(panel, i, p == parts - 1 ? lastPart : part, col, cols, stage);
        MatMul product = of[p == 0 ? 0 : p < parts - 1 ? 1 : 2];
        product.run(worker, rows, left.at(row, i), panel.address(), sums.address());
      }
      for (long r = 0; r < rows; r++) {
        finish(out, (row + r) * n + col, sums, r * MatMul.PANEL, cols, add);
      }
    });
  }

  private static void finish(
      Tensor out, long at, MemorySegment sums, long from, int n, boolean add) {
    MemorySegment m = out.memory();
    for (int j = 0; j < n; j++) {
      float sum = VectorMath.get(sums, from + j);
      if (out.dtype() == DType.F32) {
        VectorMath.set(m, at + j, add ? VectorMath.get(m, at + j) + sum : sum);
      } else {
        long place = 2 * (at + j);
        float old = add ? Half.fromBf16(m.get(VectorMath.SHORT, place)) : 0;
        m.set(VectorMath.SHORT, place, Half.toBf16(old + sum));
      }
    }
  }

  private MatMul product(
      int n, int k, Left left, boolean floats, long ldc, float alpha, boolean add) {
    return matMuls.of(
        new MatMul.Shape(n, k, left.transposed(), left.stride(), floats, ldc, alpha, add));
  }

  private static final int MOST_ROWS = Integer.MAX_VALUE;

  /** A block of the output. */
  private interface Block {
    void run(
        int worker,
        long row,
        long rows,
        long col,
        int cols,
        MemorySegment panel,
        MemorySegment stage);
  }

  /** The output in blocks: panels of columns, and as many stretches of rows as keep all busy. */
  private final class Grid {
    private final long m;
    private final long n;
    private final long panels;
    private final long rows;

    Grid(long m, long n, long mostRows) {
      this.m = m;
      this.n = n;
      panels = Math.ceilDiv(n, MatMul.PANEL);
      long stretches = panels >= 2L * workers.threads() ? 1 : workers.threads();
      long even = Math.ceilDiv(Math.ceilDiv(m, stretches), 16) * 16;
      rows = Math.min(m, Math.min(even, mostRows));
    }

    Grid prepare(MatMul product) {
      product.prepare(rows);
      product.prepare(m % rows);
      return this;
    }

    void run(Block block) {
      workers.each(
          panels * Math.ceilDiv(m, rows),
          (worker, from, to) -> {
            MemorySegment room = scratch.of(worker);
            MemorySegment stage = room.asSlice(STAGE, PanelPacker.STAGE_BYTES);
            for (long i = from; i < to; i++) {
              long col = i % panels * MatMul.PANEL;
              long row = i / panels * rows;
              block.run(
                  worker,
                  row,
                  Math.min(rows, m - row),
                  col,
                  (int) Math.min(MatMul.PANEL, n - col),
                  room,
                  stage);
            }
          });
    }
  }
}
