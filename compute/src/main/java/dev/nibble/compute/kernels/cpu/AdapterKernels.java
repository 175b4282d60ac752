package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.VectorMath.vectorEnd;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** What adapters need besides linear maps: DoRA's lengths, and look-up in A. */
final class AdapterKernels {
  /** Rows that are worth a second thread. */
  private static final long ROWS = 16;

  private final Workers workers;
  private final Stretches stretches;

  AdapterKernels(Workers workers, Stretches stretches) {
    this.workers = workers;
    this.stretches = stretches;
  }

  void scaleColumns(Tensor out, Tensor x, Tensor factors) {
    MemorySegment w = factors.memory();
    long cols = factors.elements();
    stretches.rows(
        Stretches.rowsOf(out, cols),
        cols,
        (f, row) -> {
          MemorySegment a = f.read(x, row * cols, cols);
          MemorySegment y = f.write(out, row * cols, cols);
          long end = vectorEnd(0, cols);
          long c = 0;
          for (; c < end; c += LANES) {
            store(load(a, c).mul(load(w, c)), y, c);
          }
          for (; c < cols; c++) {
            set(y, c, get(a, c) * get(w, c));
          }
          f.store(y, out, row * cols);
        });
  }

  void inverseRowNorms(Tensor out, Tensor squares, Tensor b, Tensor p, Tensor q, double scale) {
    long outputs = out.elements();
    long rank = b.cols();
    workers.split(
        outputs,
        ROWS,
        (worker, from, to) -> {
          for (long o = from; o < to; o++) {
            double square = get(squares.memory(), o);
            for (long k = 0; k < rank; k++) {
              double cross = get(p.memory(), k * outputs + o);
              double own = get(q.memory(), o * rank + k);
              square += get(b.memory(), o * rank + k) * scale * (2 * cross + scale * own);
            }
            set(out.memory(), o, (float) (1 / Math.sqrt(Math.max(0, square))));
          }
        });
  }

  void gatherColumnsForward(Tensor out, Tensor table, Tensor columns) {
    long rank = out.cols();
    long width = table.cols();
    stretches.rows(
        columns.elements(),
        rank,
        (f, n) -> {
          long column = column(columns, n, width);
          MemorySegment y = f.write(out, n * rank, rank);
          for (long k = 0; k < rank; k++) {
            set(y, k, get(table.memory(), k * width + column));
          }
          f.store(y, out, n * rank);
        });
  }

  void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
    long rank = dout.cols();
    long width = dtable.cols();
    MemorySegment sums = dtable.memory();
    stretches.columns(
        rank,
        1,
        (f, from, ranks) -> {
          for (long n = 0; n < columns.elements(); n++) {
            f.release(0);
            MemorySegment dy = f.read(dout, n * rank + from, ranks);
            long column = column(columns, n, width);
            for (long k = 0; k < ranks; k++) {
              long at = (from + k) * width + column;
              set(sums, at, get(sums, at) + get(dy, k));
            }
          }
        });
  }

  private static long column(Tensor columns, long n, long width) {
    return Objects.checkIndex((long) VectorMath.getInt(columns.memory(), n), width);
  }
}
