package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.TiledMatrix;

/**
 * Products of activations and weights of any kind. A dense weight of the activations' dtype is
 * multiplied where it lies. Any other is brought to that dtype in scratch, tile by tile: whole rows
 * of it going forward, whole columns going back, so that each result is summed up and rounded once.
 */
public final class WeightProducts {
  /** Scratch for a tile: the largest matrix of a 7B model in bfloat16. */
  public static final long TILE_BYTES = 96L << 20;

  private final Products products;
  private final FrozenTiles tiles;
  private final TileScratch scratch;

  WeightProducts(Products products, FrozenTiles tiles, TileScratch scratch) {
    this.products = products;
    this.tiles = tiles;
    this.scratch = scratch;
  }

  /** out = alpha x weight^T + beta out. */
  void forward(Tensor out, Tensor x, TiledMatrix matrix, double alpha, double beta) {
    if (matrix instanceof Dense(Tensor weight) && weight.dtype() == x.dtype()) {
      long n = tokens("linearForward", out, x, weight.rows(), weight.cols(), weight);
      products.multiply(
          Matrix.of(out, n, weight.rows()),
          Matrix.of(x, n, weight.cols()),
          Matrix.of(weight).transpose(),
          alpha,
          beta);
    } else {
      inTiles(out, x, matrix, alpha, beta);
    }
  }

  private void inTiles(Tensor out, Tensor x, TiledMatrix weight, double alpha, double beta) {
    long rows = weight.rows();
    long cols = weight.cols();
    long n = tokens("linearForward", out, x, rows, cols, weight);
    Matrix outs = Matrix.of(out, n, rows);
    Matrix inputs = Matrix.of(x, n, cols);
    long most = tile(rows, cols, x.dtype(), weight);
    for (long row = 0; row < rows; row += most) {
      long height = Math.min(most, rows - row);
      Tensor tile = scratch.of(x.dtype(), height, cols);
      tiles.read(tile, weight, row * cols, height, cols);
      products.multiply(
          outs.columns(row, height), inputs, Matrix.of(tile).transpose(), alpha, beta);
    }
  }

  /** dx += scale dout weight. */
  void backward(Tensor dx, Tensor dout, TiledMatrix matrix, double scale) {
    if (matrix instanceof Dense(Tensor weight) && weight.dtype() == dout.dtype()) {
      long n = tokens("linearBackward", dout, dx, weight.rows(), weight.cols(), weight);
      products.multiply(
          Matrix.of(dx, n, weight.cols()),
          Matrix.of(dout, n, weight.rows()),
          Matrix.of(weight),
          scale,
          1);
    } else {
      backwardInTiles(dx, dout, matrix, scale);
    }
  }

  private void backwardInTiles(Tensor dx, Tensor dout, TiledMatrix weight, double scale) {
    long rows = weight.rows();
    long cols = weight.cols();
    long n = tokens("linearBackward", dout, dx, rows, cols, weight);
    Matrix inputs = Matrix.of(dx, n, cols);
    Matrix outs = Matrix.of(dout, n, rows);
    long most = tile(cols, rows, dout.dtype(), weight);
    for (long col = 0; col < cols; col += most) {
      long width = Math.min(most, cols - col);
      Tensor tile = scratch.of(dout.dtype(), rows, width);
      tiles.read(tile, weight, col, rows, width);
      products.multiply(inputs.columns(col, width), outs, Matrix.of(tile), scale, 1);
    }
  }

  /** dweight += scale dout^T x. */
  void backwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    long n = tokens("linearBackwardWeight", dout, x, dweight.rows(), dweight.cols(), dweight);
    products.multiply(
        Matrix.of(dweight),
        Matrix.of(dout, n, dweight.rows()).transpose(),
        Matrix.of(x, n, dweight.cols()),
        scale,
        1);
  }

  /**
   * How many of {@code size} rows or columns, of {@code length} elements each, make a tile: tiles
   * of about one size, and whole ones of the matrix product where that is possible.
   */
  private long tile(long size, long length, DType dtype, Object name) {
    long most = scratch.bytes() / dtype.bytes() / Math.max(1, length);
    if (most == 0) {
      throw new IllegalArgumentException(
          "%s: a row or column of %d elements takes more than the %d bytes of %s"
              .formatted(name, length, scratch.bytes(), scratch.name()));
    }
    if (size <= most) {
      return Math.max(1, size);
    }
    long unit = most >= 128 ? 128 : most >= 8 ? 8 : 1;
    long even = Math.ceilDiv(size, Math.ceilDiv(size, most / unit * unit));
    return Math.ceilDiv(even, unit) * unit;
  }

  /** The N of x [N, cols] and out [N, rows], whichever way their tensors fold N. */
  private static long tokens(
      String operation, Tensor out, Tensor x, long rows, long cols, Object weight) {
    long n = cols == 0 ? 0 : x.elements() / cols;
    if (n * cols != x.elements() || n * rows != out.elements()) {
      throw new IllegalArgumentException(
          "%s: %s and %s do not fit the weight %s; expected [N, %d] and [N, %d]"
              .formatted(operation, x, out, weight, cols, rows));
    }
    if (x.dtype() != out.dtype() || (x.dtype() != DType.F32 && x.dtype() != DType.BF16)) {
      throw new IllegalArgumentException(
          "%s: expected activations of one dtype, F32 or BF16, got %s and %s"
              .formatted(operation, x, out));
    }
    return n;
  }
}
