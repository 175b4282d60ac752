package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;

/**
 * Products of activations and weights of any kind. A dense weight of the activations' dtype is
 * multiplied where it lies. Any other is brought to that dtype in scratch, tile by tile: whole rows
 * of it going forward, whole columns going back, so that each result is summed up and rounded once.
 */
public final class WeightProducts {
  /** Scratch for a tile: the largest matrix of a 7B model in bfloat16. */
  public static final long TILE_BYTES = 96L << 20;

  private final Products products;
  private final Dequantizer dequantizer;
  private final Launch launch;
  private final Tensor scratch;

  public WeightProducts(
      Launch launch, Products products, Dequantizer dequantizer, Scope scratch, long tileBytes) {
    this.launch = launch;
    this.products = products;
    this.dequantizer = dequantizer;
    this.scratch = scratch.allocate("scratch/weights", DType.U8, tileBytes);
  }

  /** A weight that is brought to another dtype. */
  private record Source(Object name, long rows, long cols, Part part) {
    interface Part {
      /** Rows and columns from {@code first}, an element of the flattened weight, on. */
      void bring(Tensor tile, long first, long rows, long width);
    }
  }

  private Source source(Tensor weight) {
    return new Source(
        weight,
        weight.rows(),
        weight.cols(),
        (tile, first, rows, width) -> convert(tile, weight, first, rows, width));
  }

  private Source source(Quantized weight) {
    return new Source(
        weight.codes(),
        weight.rows(),
        weight.cols(),
        (tile, first, rows, width) ->
            dequantizer.dequantize(tile, weight, first, rows, width, weight.cols()));
  }

  private void convert(Tensor tile, Tensor weight, long first, long rows, long width) {
    boolean whole = width == weight.cols();
    long height = whole ? 1 : rows;
    long length = whole ? rows * width : width;
    String kernel =
        switch (weight.dtype()) {
          case F32 -> "convert_f32";
          case BF16 -> "convert_bf16";
          case F16 -> "convert_f16";
          default ->
              throw new IllegalArgumentException(weight + ": expected F32, BF16 or F16 weights");
        };
    launch
        .kernel(kernel, tile.dtype())
        .tensor(tile)
        .tensor(weight)
        .i64(first)
        .i64(height)
        .i64(length)
        .i64(weight.cols())
        .each(height * Math.ceilDiv(length, 8));
  }

  /** out = alpha x weight^T + beta out. */
  public void forward(Tensor out, Tensor x, Tensor weight, double alpha, double beta) {
    if (weight.dtype() == x.dtype()) {
      long n = tokens("linearForward", out, x, weight.rows(), weight.cols(), weight);
      products.multiply(
          Matrix.of(out, n, weight.rows()),
          Matrix.of(x, n, weight.cols()),
          Matrix.of(weight).transpose(),
          alpha,
          beta);
    } else {
      forward(out, x, source(weight), alpha, beta);
    }
  }

  /** out = x weight^T. */
  public void forward(Tensor out, Tensor x, Quantized weight) {
    forward(out, x, source(weight), 1, 0);
  }

  private void forward(Tensor out, Tensor x, Source weight, double alpha, double beta) {
    long n = tokens("linearForward", out, x, weight.rows, weight.cols, weight.name);
    Matrix outs = Matrix.of(out, n, weight.rows);
    Matrix inputs = Matrix.of(x, n, weight.cols);
    long most = tile(weight.rows, weight.cols, x.dtype(), weight.name);
    for (long row = 0; row < weight.rows; row += most) {
      long height = Math.min(most, weight.rows - row);
      Tensor tile = scratch(x.dtype(), height, weight.cols);
      weight.part.bring(tile, row * weight.cols, height, weight.cols);
      products.multiply(
          outs.columns(row, height), inputs, Matrix.of(tile).transpose(), alpha, beta);
    }
  }

  /** dx += scale dout weight. */
  public void backward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    if (weight.dtype() == dout.dtype()) {
      long n = tokens("linearBackward", dout, dx, weight.rows(), weight.cols(), weight);
      products.multiply(
          Matrix.of(dx, n, weight.cols()),
          Matrix.of(dout, n, weight.rows()),
          Matrix.of(weight),
          scale,
          1);
    } else {
      backward(dx, dout, source(weight), scale);
    }
  }

  /** dx += dout weight. */
  public void backward(Tensor dx, Tensor dout, Quantized weight) {
    backward(dx, dout, source(weight), 1);
  }

  private void backward(Tensor dx, Tensor dout, Source weight, double scale) {
    long n = tokens("linearBackward", dout, dx, weight.rows, weight.cols, weight.name);
    Matrix inputs = Matrix.of(dx, n, weight.cols);
    Matrix outs = Matrix.of(dout, n, weight.rows);
    long most = tile(weight.cols, weight.rows, dout.dtype(), weight.name);
    for (long col = 0; col < weight.cols; col += most) {
      long width = Math.min(most, weight.cols - col);
      Tensor tile = scratch(dout.dtype(), weight.rows, width);
      weight.part.bring(tile, col, weight.rows, width);
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

  /** The beginning of scratch, as a tensor. */
  public Tensor scratch(DType dtype, long... dims) {
    Shape shape = Shape.of(dims);
    if (shape.elements() * dtype.bytes() > scratch.bytes()) {
      throw new IllegalArgumentException(
          "%s%s takes more than the %d bytes of %s"
              .formatted(dtype, shape, scratch.bytes(), scratch.name()));
    }
    return new Tensor(
        scratch.name(), dtype, shape, scratch.device(), scratch.memory(), scratch.offset());
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
