package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.VectorMath.vectorEnd;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * What works on a token's row at a time, or sums rows column by column: norm, rope, gather, bias
 * and dots of columns.
 */
final class RowKernels {
  /** Columns that a worker takes at least when rows are summed. */
  private static final long COLUMNS = 64;

  /** Rows that one partial sum takes before it joins the rest, which keeps rounding small. */
  private static final long ROW_BLOCK = 64;

  private final Workers workers;
  private final Scratch scratch;

  RowKernels(Workers workers, Scratch scratch) {
    this.workers = workers;
    this.scratch = scratch;
  }

  // ---- gather ----

  void gatherForward(Tensor out, Tensor table, Tensor rows) {
    long cols = out.cols();
    workers.split(
        rows.elements(),
        16,
        (worker, from, to) -> {
          for (long n = from; n < to; n++) {
            Conversion.widen(table, row(table, rows, n) * cols, out.memory(), n * cols, cols);
          }
        });
  }

  void gatherBackward(Tensor dtable, Tensor dout, Tensor rows) {
    MemorySegment to = dtable.memory();
    MemorySegment from = dout.memory();
    long cols = dout.cols();
    workers.split(
        cols,
        COLUMNS,
        (worker, first, last) -> {
          for (long n = 0; n < rows.elements(); n++) {
            addTo(to, row(dtable, rows, n) * cols + first, from, n * cols + first, last - first);
          }
        });
  }

  private static long row(Tensor table, Tensor rows, long n) {
    int row = VectorMath.getInt(rows.memory(), n);
    if (row < 0 || row >= table.dim(0)) {
      throw new IndexOutOfBoundsException(
          "%s: element %d is %d, but %s has rows 0 to %d"
              .formatted(rows, n, row, table, table.dim(0) - 1));
    }
    return row;
  }

  /** to[a + i] += from[b + i]. */
  private static void addTo(MemorySegment to, long a, MemorySegment from, long b, long n) {
    long end = vectorEnd(0, n);
    long i = 0;
    for (; i < end; i += LANES) {
      store(load(to, a + i).add(load(from, b + i)), to, a + i);
    }
    for (; i < n; i++) {
      set(to, a + i, get(to, a + i) + get(from, b + i));
    }
  }

  // ---- columns ----

  void columnsForward(Tensor out, Tensor x, long from) {
    checkColumns(x, out, from);
    long width = out.cols();
    long cols = x.cols();
    workers.split(
        out.rows(),
        16,
        (worker, first, last) -> {
          for (long n = first; n < last; n++) {
            MemorySegment.copy(
                x.memory(), 4 * (n * cols + from), out.memory(), 4 * n * width, 4 * width);
          }
        });
  }

  void columnsBackward(Tensor dx, Tensor dout, long from) {
    checkColumns(dx, dout, from);
    long width = dout.cols();
    long cols = dx.cols();
    workers.split(
        dout.rows(),
        16,
        (worker, first, last) -> {
          for (long n = first; n < last; n++) {
            addTo(dx.memory(), n * cols + from, dout.memory(), n * width, width);
          }
        });
  }

  /** A part that sticks out would read the next row in silence. */
  private static void checkColumns(Tensor whole, Tensor part, long from) {
    Arguments.requireF32("columns", whole, part);
    if (whole.rows() != part.rows() || from < 0 || from + part.cols() > whole.cols()) {
      throw new IllegalArgumentException(
          "columns %d to %d of %s do not fit %s".formatted(from, from + part.cols(), whole, part));
    }
  }

  // ---- norm ----

  void normForward(Tensor out, Tensor rstd, Tensor x, Tensor weight, float offset, double eps) {
    MemorySegment y = out.memory();
    MemorySegment a = x.memory();
    MemorySegment w = weight.memory();
    long cols = x.cols();
    workers.split(
        x.rows(),
        8,
        (worker, from, to) -> {
          for (long n = from; n < to; n++) {
            long row = n * cols;
            float r = (float) (1 / Math.sqrt(VectorMath.dot(a, row, a, row, cols) / cols + eps));
            set(rstd.memory(), n, r);
            long end = vectorEnd(0, cols);
            long i = 0;
            for (; i < end; i += LANES) {
              store(load(a, row + i).mul(r).mul(load(w, i).add(offset)), y, row + i);
            }
            for (; i < cols; i++) {
              set(y, row + i, get(a, row + i) * r * (get(w, i) + offset));
            }
          }
        });
  }

  void normBackward(Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, float offset) {
    MemorySegment da = dx.memory();
    MemorySegment dy = dout.memory();
    MemorySegment a = x.memory();
    MemorySegment w = weight.memory();
    long cols = x.cols();
    workers.split(
        x.rows(),
        8,
        (worker, from, to) -> {
          MemorySegment g = scratch.of(worker);
          for (long n = from; n < to; n++) {
            long row = n * cols;
            float r = get(rstd.memory(), n);
            multiply(g, dy, row, w, offset, cols);
            float mean = (float) (VectorMath.dot(g, 0, a, row, cols) * r / cols);
            long end = vectorEnd(0, cols);
            long i = 0;
            for (; i < end; i += LANES) {
              FloatVector d = load(g, i).sub(load(a, row + i).mul(r).mul(mean)).mul(r);
              store(load(da, row + i).add(d), da, row + i);
            }
            for (; i < cols; i++) {
              float d = (get(g, i) - get(a, row + i) * r * mean) * r;
              set(da, row + i, get(da, row + i) + d);
            }
          }
        });
  }

  /** product[i] = a[from + i] * (offset + b[i]). */
  private static void multiply(
      MemorySegment product, MemorySegment a, long from, MemorySegment b, float offset, long n) {
    long end = vectorEnd(0, n);
    long i = 0;
    for (; i < end; i += LANES) {
      store(load(a, from + i).mul(load(b, i).add(offset)), product, i);
    }
    for (; i < n; i++) {
      set(product, i, get(a, from + i) * (get(b, i) + offset));
    }
  }

  void normBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd) {
    MemorySegment dw = dweight.memory();
    MemorySegment dy = dout.memory();
    MemorySegment a = x.memory();
    MemorySegment r = rstd.memory();
    long cols = x.cols();
    sumRows(
        x.rows(),
        cols,
        (first, last, column, end) -> {
          long c = column;
          for (; c + LANES <= end; c += LANES) {
            FloatVector s = FloatVector.zero(F);
            for (long n = first; n < last; n++) {
              s = s.add(load(dy, n * cols + c).mul(load(a, n * cols + c)).mul(get(r, n)));
            }
            store(load(dw, c).add(s), dw, c);
          }
          for (; c < end; c++) {
            float s = 0;
            for (long n = first; n < last; n++) {
              s += get(dy, n * cols + c) * get(a, n * cols + c) * get(r, n);
            }
            set(dw, c, get(dw, c) + s);
          }
        });
  }

  // ---- bias ----

  void biasForward(Tensor out, Tensor bias) {
    MemorySegment y = out.memory();
    long cols = bias.elements();
    workers.split(
        cols == 0 ? 0 : out.elements() / cols,
        8,
        (worker, from, to) -> {
          MemorySegment b = scratch.of(worker);
          Conversion.widen(bias, 0, b, 0, cols);
          for (long n = from; n < to; n++) {
            addTo(y, n * cols, b, 0, cols);
          }
        });
  }

  void biasBackward(Tensor dbias, Tensor dout) {
    MemorySegment db = dbias.memory();
    MemorySegment dy = dout.memory();
    long cols = dbias.elements();
    sumRows(
        cols == 0 ? 0 : dout.elements() / cols,
        cols,
        (first, last, column, end) -> {
          long c = column;
          for (; c + LANES <= end; c += LANES) {
            FloatVector s = FloatVector.zero(F);
            for (long n = first; n < last; n++) {
              s = s.add(load(dy, n * cols + c));
            }
            store(load(db, c).add(s), db, c);
          }
          for (; c < end; c++) {
            float s = 0;
            for (long n = first; n < last; n++) {
              s += get(dy, n * cols + c);
            }
            set(db, c, get(db, c) + s);
          }
        });
  }

  void columnDots(Tensor out, Tensor a, Tensor b) {
    MemorySegment y = out.memory();
    MemorySegment s = a.memory();
    MemorySegment t = b.memory();
    long cols = out.elements();
    sumRows(
        cols == 0 ? 0 : a.elements() / cols,
        cols,
        (first, last, column, end) -> {
          long c = column;
          for (; c + LANES <= end; c += LANES) {
            FloatVector sum = FloatVector.zero(F);
            for (long n = first; n < last; n++) {
              sum = load(s, n * cols + c).fma(load(t, n * cols + c), sum);
            }
            store(load(y, c).add(sum), y, c);
          }
          for (; c < end; c++) {
            float sum = 0;
            for (long n = first; n < last; n++) {
              sum = Math.fma(get(s, n * cols + c), get(t, n * cols + c), sum);
            }
            set(y, c, get(y, c) + sum);
          }
        });
  }

  /**
   * Adds rows {@code first} to {@code last} of columns {@code column} to {@code end} into a
   * gradient.
   */
  private interface ColumnSum {
    void add(long first, long last, long column, long end);
  }

  private void sumRows(long rows, long cols, ColumnSum sum) {
    workers.split(
        cols,
        COLUMNS,
        (worker, column, end) -> {
          for (long first = 0; first < rows; first += ROW_BLOCK) {
            sum.add(first, Math.min(rows, first + ROW_BLOCK), column, end);
          }
        });
  }

  // ---- rope ----

  /** Turns each pair by its angle; {@code direction} is 1 forwards and -1 backwards. */
  void rope(Tensor x, Tensor cos, Tensor sin, Tensor positions, float direction) {
    MemorySegment a = x.memory();
    MemorySegment c = cos.memory();
    MemorySegment s = sin.memory();
    long pairs = cos.cols();
    long headSize = x.dim(-1);
    long rowSize = headSize * x.dim(-2);
    workers.split(
        positions.elements(),
        8,
        (worker, from, to) -> {
          for (long n = from; n < to; n++) {
            long angle = row(cos, positions, n) * pairs;
            for (long head = n * rowSize; head < (n + 1) * rowSize; head += headSize) {
              turn(a, head, head + pairs, c, s, angle, pairs, direction);
            }
          }
        });
  }

  private static void turn(
      MemorySegment a,
      long left,
      long right,
      MemorySegment cos,
      MemorySegment sin,
      long angle,
      long pairs,
      float direction) {
    long end = vectorEnd(0, pairs);
    long j = 0;
    for (; j < end; j += LANES) {
      FloatVector c = load(cos, angle + j);
      FloatVector s = load(sin, angle + j).mul(direction);
      FloatVector l = load(a, left + j);
      FloatVector r = load(a, right + j);
      store(l.mul(c).sub(r.mul(s)), a, left + j);
      store(r.mul(c).add(l.mul(s)), a, right + j);
    }
    for (; j < pairs; j++) {
      float c = get(cos, angle + j);
      float s = get(sin, angle + j) * direction;
      float l = get(a, left + j);
      float r = get(a, right + j);
      set(a, left + j, l * c - r * s);
      set(a, right + j, r * c + l * s);
    }
  }
}
