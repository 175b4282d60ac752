package dev.nibble.compute.kernels.cpu.work;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** Column sums over the rows of a matrix: gradients of norm weights, biases and column factors. */
public final class ColumnSums {
  /** The fewest columns for one worker. */
  private static final long COLUMNS = 64;

  /** Rows of one partial sum; partial sums keep the rounding error small. */
  private static final long ROW_BLOCK = 64;

  private final ParallelLoops loops;

  /** Sums on the workers of these loops. */
  public ColumnSums(ParallelLoops loops) {
    this.loops = loops;
  }

  /** Adds row {@code row}, columns {@code column} and on, to a partial sum of {@code n} columns. */
  public interface Term {
    void addTo(MemorySegment sum, WorkerArena floats, long row, long column, long n);
  }

  /** total[c] += the sum of a term over rows, c by c. */
  public void sum(Tensor total, long rows, Term term) {
    loops.columns(
        total.elements(),
        COLUMNS,
        (f, column, n) -> {
          for (long c = 0; c < n; c += ParallelLoops.CHUNK) {
            sum(total, rows, column + c, Math.min(ParallelLoops.CHUNK, n - c), term, f);
          }
        });
  }

  private static void sum(Tensor total, long rows, long column, long n, Term term, WorkerArena f) {
    f.release(0);
    MemorySegment sum = f.allocate(n);
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
