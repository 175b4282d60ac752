package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * Linear maps. A weight that is not F32 is widened tile by tile: each worker widens its own tiles
 * into its own scratch and multiplies by them at once, while they are in its cache.
 */
final class LinearKernels {
  /**
   * Inputs of one tile of the backward product: whole scale blocks, and wide enough for the matrix
   * product.
   */
  private static final long BACKWARD_COLS = 2048;

  private final Gemm gemm;
  private final Workers workers;
  private final Scratch scratch;

  LinearKernels(Gemm gemm, Workers workers, Scratch scratch) {
    this.gemm = gemm;
    this.workers = workers;
    this.scratch = scratch;
  }

  /**
   * Writes {@code n} weights from element {@code start} of the row-major matrix to {@code to}, as
   * F32.
   */
  private interface Source {
    void widen(long start, MemorySegment to, long toStart, long n);
  }

  /** out = alpha x weight^T + beta out. */
  void forward(Tensor out, Tensor x, Tensor weight, float alpha, float beta) {
    long rows = weight.rows();
    long cols = weight.cols();
    if (weight.dtype() == DType.F32) {
      gemm.onAllThreads(
          false,
          true,
          tokens(x, cols),
          rows,
          cols,
          alpha,
          address(x),
          cols,
          address(weight),
          cols,
          beta,
          address(out),
          rows);
    } else {
      forward(
          out, x, rows, cols, (s, to, t, n) -> Conversion.widen(weight, s, to, t, n), alpha, beta);
    }
  }

  /** dx += scale dout weight. */
  void backward(Tensor dx, Tensor dout, Tensor weight, float scale) {
    long rows = weight.rows();
    long cols = weight.cols();
    if (weight.dtype() == DType.F32) {
      gemm.onAllThreads(
          false,
          false,
          tokens(dx, cols),
          cols,
          rows,
          scale,
          address(dout),
          rows,
          address(weight),
          cols,
          1,
          address(dx),
          cols);
    } else {
      backward(dx, dout, rows, cols, (s, to, t, n) -> Conversion.widen(weight, s, to, t, n), scale);
    }
  }

  /** dweight += scale dout^T x. */
  void backwardWeight(Tensor dweight, Tensor dout, Tensor x, float scale) {
    long rows = dweight.rows();
    long cols = dweight.cols();
    gemm.onAllThreads(
        true,
        false,
        rows,
        cols,
        tokens(x, cols),
        scale,
        address(dout),
        rows,
        address(x),
        cols,
        1,
        address(dweight),
        cols);
  }

  void forward(Tensor out, Tensor x, Quantized weight) {
    forward(
        out,
        x,
        weight.rows(),
        weight.cols(),
        (s, to, t, n) -> Dequantizer.decode(weight, s, to, t, n),
        1,
        0);
  }

  void backward(Tensor dx, Tensor dout, Quantized weight) {
    backward(
        dx,
        dout,
        weight.rows(),
        weight.cols(),
        (s, to, t, n) -> Dequantizer.decode(weight, s, to, t, n),
        1);
  }

  private void forward(
      Tensor out, Tensor x, long rows, long cols, Source weight, float alpha, float beta) {
    long tokens = tokens(x, cols);
    long tileCols = Math.min(cols, Scratch.FLOATS);
    long tileRows = tile(rows, Math.max(1, Scratch.FLOATS / tileCols));
    workers.each(
        (rows + tileRows - 1) / tileRows,
        (worker, from, to) -> {
          MemorySegment tile = scratch.of(worker);
          for (long row = from * tileRows; row < Math.min(rows, to * tileRows); row += tileRows) {
            long height = Math.min(tileRows, rows - row);
            for (long col = 0; col < cols; col += tileCols) {
              long width = Math.min(tileCols, cols - col);
              widen(weight, tile, row, height, col, width, cols);
              gemm.onThisThread(
                  false,
                  true,
                  tokens,
                  height,
                  width,
                  alpha,
                  address(x) + 4 * col,
                  cols,
                  tile.address(),
                  width,
                  col == 0 ? beta : 1,
                  address(out) + 4 * row,
                  rows);
            }
          }
        });
  }

  private void backward(Tensor dx, Tensor dout, long rows, long cols, Source weight, float scale) {
    long tokens = tokens(dx, cols);
    long tileCols = tile(cols, BACKWARD_COLS);
    long tileRows = Math.min(rows, Scratch.FLOATS / tileCols);
    workers.each(
        (cols + tileCols - 1) / tileCols,
        (worker, from, to) -> {
          MemorySegment tile = scratch.of(worker);
          for (long col = from * tileCols; col < Math.min(cols, to * tileCols); col += tileCols) {
            long width = Math.min(tileCols, cols - col);
            for (long row = 0; row < rows; row += tileRows) {
              long height = Math.min(tileRows, rows - row);
              widen(weight, tile, row, height, col, width, cols);
              gemm.onThisThread(
                  false,
                  false,
                  tokens,
                  width,
                  height,
                  scale,
                  address(dout) + 4 * row,
                  rows,
                  tile.address(),
                  width,
                  1,
                  address(dx) + 4 * col,
                  cols);
            }
          }
        });
  }

  private static void widen(
      Source weight, MemorySegment tile, long row, long height, long col, long width, long cols) {
    if (width == cols) {
      weight.widen(row * cols, tile, 0, height * cols);
      return;
    }
    for (long i = 0; i < height; i++) {
      weight.widen((row + i) * cols + col, tile, i * width, width);
    }
  }

  /**
   * A tile size of at most {@code most} that gives each worker as many tiles as the next, in steps
   * of 64.
   */
  private long tile(long size, long most) {
    long tiles = (size + most - 1) / most;
    long threads = workers.threads();
    long even = (tiles + threads - 1) / threads * threads;
    long tile = (size + even - 1) / even;
    return Math.max(1, Math.min(most, (tile + 63) / 64 * 64));
  }

  private static long tokens(Tensor x, long cols) {
    return cols == 0 ? 0 : x.elements() / cols;
  }

  private static long address(Tensor t) {
    return t.memory().address();
  }
}
