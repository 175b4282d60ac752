package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.work.Arguments;
import dev.nibble.compute.kernels.cpu.work.WorkerScratch;
import dev.nibble.compute.kernels.cpu.work.Workers;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.TiledMatrix;
import java.lang.foreign.MemorySegment;

/**
 * Linear maps of activations in float32. A weight that is not F32 is widened tile by tile: each
 * worker widens its own tiles into its own scratch and multiplies by them at once, while they are
 * in its cache.
 */
final class F32Linear {
  /**
   * Inputs of one tile of the backward product: whole scale blocks, and wide enough for the matrix
   * product.
   */
  private static final long BACKWARD_COLS = 2048;

  private final Gemm gemm;
  private final Workers workers;
  private final WorkerScratch scratch;

  F32Linear(Gemm gemm, Workers workers, WorkerScratch scratch) {
    this.gemm = gemm;
    this.workers = workers;
    this.scratch = scratch;
  }

  /** out = alpha x weight^T + beta out. */
  void forward(Tensor out, Tensor x, TiledMatrix matrix, float alpha, float beta) {
    if (matrix instanceof Dense(Tensor weight) && weight.dtype() == DType.F32) {
      long rows = weight.rows();
      long cols = weight.cols();
      long tokens = Arguments.tokens("linearForward", out, x, weight);
      gemm.onAllThreads(
          false,
          true,
          tokens,
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
      inTiles(out, x, matrix, alpha, beta);
    }
  }

  /** dx += scale dout weight. */
  void backward(Tensor dx, Tensor dout, TiledMatrix matrix, float scale) {
    if (matrix instanceof Dense(Tensor weight) && weight.dtype() == DType.F32) {
      long rows = weight.rows();
      long cols = weight.cols();
      long tokens = Arguments.tokens("linearBackward", dout, dx, weight);
      gemm.onAllThreads(
          false,
          false,
          tokens,
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
      backwardInTiles(dx, dout, matrix, scale);
    }
  }

  /** dweight += scale dout^T x. */
  void backwardWeight(Tensor dweight, Tensor dout, Tensor x, float scale) {
    Arguments.requireF32("linearBackwardWeight", dweight);
    long tokens = Arguments.tokens("linearBackwardWeight", dout, x, dweight);
    long rows = dweight.rows();
    long cols = dweight.cols();
    gemm.onAllThreads(
        true,
        false,
        rows,
        cols,
        tokens,
        scale,
        address(dout),
        rows,
        address(x),
        cols,
        1,
        address(dweight),
        cols);
  }

  private void inTiles(Tensor out, Tensor x, TiledMatrix weight, float alpha, float beta) {
    FrozenTiles tiles = FrozenTiles.of(weight);
    long rows = weight.rows();
    long cols = weight.cols();
    long tokens = Arguments.tokens("linearForward", out, x, rows, cols, weight);
    long tileCols = Math.min(cols, WorkerScratch.FLOATS);
    long tileRows = tile(rows, Math.max(1, WorkerScratch.FLOATS / tileCols));
    workers.each(
        (rows + tileRows - 1) / tileRows,
        (worker, from, to) -> {
          MemorySegment tile = scratch.of(worker);
          for (long row = from * tileRows; row < Math.min(rows, to * tileRows); row += tileRows) {
            long height = Math.min(tileRows, rows - row);
            for (long col = 0; col < cols; col += tileCols) {
              long width = Math.min(tileCols, cols - col);
              widen(tiles, cols, tile, row, height, col, width);
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

  private void backwardInTiles(Tensor dx, Tensor dout, TiledMatrix weight, float scale) {
    FrozenTiles tiles = FrozenTiles.of(weight);
    long rows = weight.rows();
    long cols = weight.cols();
    long tokens = Arguments.tokens("linearBackward", dout, dx, rows, cols, weight);
    long tileCols = tile(cols, BACKWARD_COLS);
    long tileRows = Math.min(rows, WorkerScratch.FLOATS / tileCols);
    workers.each(
        (cols + tileCols - 1) / tileCols,
        (worker, from, to) -> {
          MemorySegment tile = scratch.of(worker);
          for (long col = from * tileCols; col < Math.min(cols, to * tileCols); col += tileCols) {
            long width = Math.min(tileCols, cols - col);
            for (long row = 0; row < rows; row += tileRows) {
              long height = Math.min(tileRows, rows - row);
              widen(tiles, cols, tile, row, height, col, width);
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

  /** Rows {@code row} and on, columns {@code col} and on of a matrix of {@code cols} columns. */
  private static void widen(
      FrozenTiles tiles,
      long cols,
      MemorySegment tile,
      long row,
      long height,
      long col,
      long width) {
    if (width == cols) {
      tiles.read(row * cols, tile, 0, height * cols);
      return;
    }
    for (long i = 0; i < height; i++) {
      tiles.read((row + i) * cols + col, tile, i * width, width);
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

  private static long address(Tensor t) {
    return t.memory().address();
  }
}
