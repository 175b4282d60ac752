package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.VectorMath.vectorEnd;

import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** What adapters need besides linear maps: DoRA's lengths, look-up in A, noise. */
final class AdapterKernels {
  /** Rows that are worth a second thread. */
  private static final long ROWS = 16;

  private final Workers workers;

  AdapterKernels(Workers workers) {
    this.workers = workers;
  }

  void scaleColumns(Tensor out, Tensor x, Tensor factors) {
    MemorySegment y = out.memory();
    MemorySegment a = x.memory();
    MemorySegment f = factors.memory();
    long cols = factors.elements();
    workers.split(
        cols == 0 ? 0 : out.elements() / cols,
        ROWS,
        (worker, from, to) -> {
          long end = vectorEnd(0, cols);
          for (long row = from * cols; row < to * cols; row += cols) {
            long c = 0;
            for (; c < end; c += LANES) {
              store(load(a, row + c).mul(load(f, c)), y, row + c);
            }
            for (; c < cols; c++) {
              set(y, row + c, get(a, row + c) * get(f, c));
            }
          }
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
    workers.split(
        columns.elements(),
        ROWS,
        (worker, from, to) -> {
          for (long n = from; n < to; n++) {
            long column = column(columns, n, width);
            for (long k = 0; k < rank; k++) {
              set(out.memory(), n * rank + k, get(table.memory(), k * width + column));
            }
          }
        });
  }

  void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
    long rank = dout.cols();
    long width = dtable.cols();
    MemorySegment sums = dtable.memory();
    workers.each(
        rank,
        (worker, from, to) -> {
          for (long k = from; k < to; k++) {
            for (long n = 0; n < columns.elements(); n++) {
              long at = k * width + column(columns, n, width);
              set(sums, at, get(sums, at) + get(dout.memory(), n * rank + k));
            }
          }
        });
  }

  private static long column(Tensor columns, long n, long width) {
    return Objects.checkIndex((long) VectorMath.getInt(columns.memory(), n), width);
  }

  void addNoise(Tensor x, Tensor segments, double alpha, long seed) {
    MemorySegment y = x.memory();
    long cols = x.cols();
    for (long s = 0; s < segments.rows(); s++) {
      long start = VectorMath.getInt(segments.memory(), 4 * s);
      long length = VectorMath.getInt(segments.memory(), 4 * s + 1);
      float magnitude = (float) (alpha / Math.sqrt((double) length * cols));
      workers.split(
          length * cols,
          ROWS * cols,
          (worker, from, to) -> {
            for (long i = start * cols + from; i < start * cols + to; i++) {
              set(y, i, get(y, i) + magnitude * Dropout.uniform(seed, i));
            }
          });
    }
  }
}
