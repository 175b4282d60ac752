package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * Linear maps of BF16 activations by float32 products: tiles of both operands are widened into
 * scratch, those of the weight after rounding to BF16, and a tile of the result is rounded once.
 */
final class Bf16Linear {
  private static final long ROWS = 512;
  private static final long COLS = 256;
  private static final long DEPTH = 512;

  private final Gemm gemm;
  private final Stretches stretches;

  Bf16Linear(Gemm gemm, Stretches stretches) {
    this.gemm = gemm;
    this.stretches = stretches;
  }

  /** Elements {@code start} and on of a flattened matrix in float32. */
  private interface Source {
    void widen(long start, MemorySegment to, long toStart, long n);
  }

  private static Factor factor(Tensor t, boolean transposed) {
    return new Factor(
        (start, to, toStart, n) -> Conversion.widen(t, start, to, toStart, n),
        t.cols(),
        transposed,
        t.dtype() != DType.BF16);
  }

  private static Factor factor(Quantized q, boolean transposed) {
    return new Factor(
        (start, to, toStart, n) -> Dequantizer.decode(q, start, to, toStart, n),
        q.cols(),
        transposed,
        true);
  }

  private static Factor activations(Tensor t, long cols, boolean transposed) {
    return factor(t.reshape(Stretches.rowsOf(t, cols), cols), transposed);
  }

  void forward(Tensor out, Tensor x, Tensor weight, float scale, boolean accumulate) {
    long tokens = Arguments.tokens("linearForward", out, x, weight);
    Factor a = activations(x, weight.cols(), false);
    Factor b = factor(weight, false);
    product(out, a, b, tokens, weight.rows(), weight.cols(), scale, accumulate);
  }

  void backward(Tensor dx, Tensor dout, Tensor weight, float scale) {
    long tokens = Arguments.tokens("linearBackward", dout, dx, weight);
    Factor a = activations(dout, weight.rows(), false);
    Factor b = factor(weight, true);
    product(dx, a, b, tokens, weight.cols(), weight.rows(), scale, true);
  }

  void backwardWeight(Tensor dweight, Tensor dout, Tensor x, float scale) {
    Arguments.requireF32("linearBackwardWeight", dweight);
    long tokens = Arguments.tokens("linearBackwardWeight", dout, x, dweight);
    Factor a = activations(dout, dweight.rows(), true);
    Factor b = activations(x, dweight.cols(), true);
    product(dweight, a, b, dweight.rows(), dweight.cols(), tokens, scale, true);
  }

  void forward(Tensor out, Tensor x, Quantized weight) {
    long rows = weight.rows();
    long cols = weight.cols();
    long tokens = Arguments.tokens("linearForward", out, x, rows, cols, weight.codes());
    product(out, activations(x, cols, false), factor(weight, false), tokens, rows, cols, 1, false);
  }

  void backward(Tensor dx, Tensor dout, Quantized weight) {
    long rows = weight.rows();
    long cols = weight.cols();
    long tokens = Arguments.tokens("linearBackward", dout, dx, rows, cols, weight.codes());
    product(dx, activations(dout, rows, false), factor(weight, true), tokens, cols, rows, 1, true);
  }

  /**
   * A factor of a product.
   *
   * @param cols of the matrix as it is stored
   * @param transposed whether it is stored with the summed dimension first
   * @param rounded whether its values must be rounded to BF16
   */
  private record Factor(Source source, long cols, boolean transposed, boolean rounded) {}

  /** out[m, n] = scale * sum_k a[m, k] b[n, k], and what is there where it accumulates. */
  private void product(
      Tensor out, Factor a, Factor b, long m, long n, long k, float scale, boolean accumulate) {
    long down = (m + ROWS - 1) / ROWS;
    long across = (n + COLS - 1) / COLS;
    stretches.items(
        down * across,
        (f, item) -> {
          long row = item / across * ROWS;
          long col = item % across * COLS;
          long rows = Math.min(ROWS, m - row);
          long cols = Math.min(COLS, n - col);
          MemorySegment sum = f.room(rows * cols);
          VectorMath.zero(sum, 0, rows * cols);
          long mark = f.mark();
          for (long at = 0; at < k; at += DEPTH) {
            long depth = Math.min(DEPTH, k - at);
            f.release(mark);
            MemorySegment x = tile(f, a, row, rows, at, depth);
            MemorySegment y = tile(f, b, col, cols, at, depth);
            gemm.onThisThread(
                a.transposed,
                !b.transposed,
                rows,
                cols,
                depth,
                scale,
                x.address(),
                a.transposed ? rows : depth,
                y.address(),
                b.transposed ? cols : depth,
                1,
                sum.address(),
                cols);
          }
          for (long i = 0; i < rows; i++) {
            f.release(mark);
            MemorySegment part = sum.asSlice(4 * i * cols, 4 * cols);
            long to = (row + i) * n + col;
            if (accumulate) {
              VectorMath.add(part, f.read(out, to, cols), cols);
            }
            Conversion.narrow(part, 0, out, to, cols);
          }
        });
  }

  private static MemorySegment tile(
      Floats f, Factor factor, long first, long count, long at, long depth) {
    MemorySegment tile = f.room(count * depth);
    long lines = factor.transposed ? depth : count;
    long width = factor.transposed ? count : depth;
    long line = factor.transposed ? at : first;
    long start = factor.transposed ? first : at;
    for (long i = 0; i < lines; i++) {
      factor.source.widen((line + i) * factor.cols + start, tile, i * width, width);
    }
    if (factor.rounded) {
      for (long i = 0; i < count * depth; i++) {
        VectorMath.set(tile, i, Half.fromBf16(Half.toBf16(VectorMath.get(tile, i))));
      }
    }
    return tile;
  }
}
