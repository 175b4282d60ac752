package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** What chooses rows or columns, and the bias. */
final class RowKernels {
  private final Stretches stretches;

  RowKernels(Stretches stretches) {
    this.stretches = stretches;
  }

  // ---- gather ----

  void gatherForward(Tensor out, Tensor table, Tensor rows) {
    long cols = out.cols();
    stretches.rows(
        rows.elements(),
        cols,
        (f, n) -> move(f, out, n * cols, table, row(table, rows, n) * cols, cols));
  }

  /** out[to + i] = in[from + i]. */
  private static void move(Floats f, Tensor out, long to, Tensor in, long from, long n) {
    if (out.dtype() == in.dtype()) {
      long size = in.dtype().bytes();
      MemorySegment.copy(in.memory(), from * size, out.memory(), to * size, n * size);
    } else if (out.dtype() == DType.F32) {
      Conversion.widen(in, from, out.memory(), to, n);
    } else {
      f.store(f.read(in, from, n), out, to);
    }
  }

  void gatherBackward(Tensor dtable, Tensor dout, Tensor rows) {
    long[] order = byRow(dtable, rows);
    long cols = dout.cols();
    stretches.columns(
        cols,
        64,
        (f, first, n) -> {
          // All that one row gets is summed before it is rounded.
          for (int i = 0; i < order.length; ) {
            f.release(0);
            long row = order[i] >>> 32;
            MemorySegment sum = f.read(dtable, row * cols + first, n);
            long mark = f.mark();
            for (; i < order.length && order[i] >>> 32 == row; i++) {
              f.release(mark);
              long token = order[i] & 0xffffffffL;
              VectorMath.add(sum, f.read(dout, token * cols + first, n), n);
            }
            f.store(sum, dtable, row * cols + first);
          }
        });
  }

  /** A row in the high half and the token that chose it in the low half, ascending. */
  private static long[] byRow(Tensor table, Tensor rows) {
    long[] order = new long[Math.toIntExact(rows.elements())];
    for (int n = 0; n < order.length; n++) {
      order[n] = row(table, rows, n) << 32 | n;
    }
    Arrays.sort(order);
    return order;
  }

  static long row(Tensor table, Tensor rows, long n) {
    int row = VectorMath.getInt(rows.memory(), n);
    if (row < 0 || row >= table.dim(0)) {
      throw new IndexOutOfBoundsException(
          "%s: element %d is %d, but %s has rows 0 to %d"
              .formatted(rows, n, row, table, table.dim(0) - 1));
    }
    return row;
  }

  // ---- columns ----

  void columnsForward(Tensor out, Tensor x, long from) {
    checkColumns(x, out, from);
    long width = out.cols();
    long cols = x.cols();
    stretches.rows(out.rows(), width, (f, n) -> move(f, out, n * width, x, n * cols + from, width));
  }

  void columnsBackward(Tensor dx, Tensor dout, long from) {
    checkColumns(dx, dout, from);
    long width = dout.cols();
    long cols = dx.cols();
    stretches.rows(
        dout.rows(),
        width,
        (f, n) -> {
          MemorySegment da = f.read(dx, n * cols + from, width);
          VectorMath.add(da, f.read(dout, n * width, width), width);
          f.store(da, dx, n * cols + from);
        });
  }

  /** A part that sticks out would read the next row in silence. */
  private static void checkColumns(Tensor whole, Tensor part, long from) {
    Arguments.requireActivations("columns", whole, part);
    if (whole.rows() != part.rows() || from < 0 || from + part.cols() > whole.cols()) {
      throw new IllegalArgumentException(
          "columns %d to %d of %s do not fit %s".formatted(from, from + part.cols(), whole, part));
    }
  }

  // ---- bias ----

  void biasForward(Tensor out, Tensor bias) {
    long cols = bias.elements();
    stretches.rows(
        Stretches.rowsOf(out, cols),
        cols,
        (f, n) -> {
          MemorySegment y = f.read(out, n * cols, cols);
          VectorMath.add(y, f.read(bias, 0, cols), cols);
          f.store(y, out, n * cols);
        });
  }
}
