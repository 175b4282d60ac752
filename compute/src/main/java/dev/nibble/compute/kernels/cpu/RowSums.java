package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.VectorMath.vectorEnd;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** Sums over rows, column by column: gradients of what every row is multiplied with. */
final class RowSums {
  /** Columns that a worker takes at least. */
  private static final long COLUMNS = 64;

  /** Rows that one partial sum takes before it joins the rest, which keeps rounding small. */
  private static final long ROW_BLOCK = 64;

  private final Stretches stretches;

  RowSums(Stretches stretches) {
    this.stretches = stretches;
  }

  /** Adds row {@code row}, columns {@code column} and on, to a partial sum of {@code n} columns. */
  private interface Term {
    void addTo(MemorySegment sum, Floats floats, long row, long column, long n);
  }

  void normBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd) {
    long cols = x.cols();
    sum(
        dweight,
        x.rows(),
        (sum, f, row, column, n) -> {
          MemorySegment dy = f.read(dout, row * cols + column, n);
          MemorySegment a = f.read(x, row * cols + column, n);
          float r = get(rstd.memory(), row);
          long end = vectorEnd(0, n);
          long c = 0;
          for (; c < end; c += LANES) {
            store(load(sum, c).add(load(dy, c).mul(load(a, c)).mul(r)), sum, c);
          }
          for (; c < n; c++) {
            set(sum, c, get(sum, c) + get(dy, c) * get(a, c) * r);
          }
        });
  }

  void biasBackward(Tensor dbias, Tensor dout) {
    long cols = dbias.elements();
    sum(
        dbias,
        Stretches.rowsOf(dout, cols),
        (sum, f, row, column, n) -> VectorMath.add(sum, f.read(dout, row * cols + column, n), n));
  }

  void columnDots(Tensor out, Tensor a, Tensor b) {
    long cols = out.elements();
    sum(
        out,
        Stretches.rowsOf(a, cols),
        (sum, f, row, column, n) -> {
          MemorySegment s = f.read(a, row * cols + column, n);
          MemorySegment t = f.read(b, row * cols + column, n);
          long end = vectorEnd(0, n);
          long c = 0;
          for (; c < end; c += LANES) {
            store(load(s, c).fma(load(t, c), load(sum, c)), sum, c);
          }
          for (; c < n; c++) {
            set(sum, c, Math.fma(get(s, c), get(t, c), get(sum, c)));
          }
        });
  }

  private void sum(Tensor total, long rows, Term term) {
    stretches.columns(
        total.elements(),
        COLUMNS,
        (f, column, n) -> {
          for (long c = 0; c < n; c += Stretches.LENGTH) {
            sum(total, rows, column + c, Math.min(Stretches.LENGTH, n - c), term, f);
          }
        });
  }

  private static void sum(Tensor total, long rows, long column, long n, Term term, Floats f) {
    f.release(0);
    MemorySegment sum = f.room(n);
    long mark = f.mark();
    for (long first = 0; first < rows; first += ROW_BLOCK) {
      VectorMath.zero(sum, 0, n);
      for (long row = first; row < Math.min(rows, first + ROW_BLOCK); row++) {
        f.release(mark);
        term.addTo(sum, f, row, column, n);
      }
      VectorMath.add(total.memory().asSlice(4 * column, 4 * n), sum, n);
    }
  }
}
