package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.function.UnaryOperator;

/**
 * A frozen matrix of which a few elements are held apart in 16 bits: compressed sparse rows (CSR),
 * as SpQR has them (arXiv:2306.03078). Outliers stand in the place of what the other matrix holds
 * there.
 *
 * @param base all other elements
 * @param starts I32 [O + 1], ascending from 0: outliers starts[r] and on, up to starts[r + 1], are
 *     of row r
 * @param columns I16 [capacity], read without a sign, ascending in each row
 * @param values F16 or BF16 [capacity]; what lies behind starts[O] has no meaning
 */
public record WithOutliers(TiledMatrix base, Tensor starts, Tensor columns, Tensor values)
    implements TiledMatrix {
  /** Columns that 16 bits can name. */
  public static final long MOST_COLUMNS = 1 << 16;

  /** Checks that the parts fit each other. */
  public WithOutliers {
    if (base instanceof WithOutliers) {
      throw new IllegalArgumentException(base + " has outliers already");
    }
    if (base.cols() > MOST_COLUMNS) {
      throw new IllegalArgumentException(base + ": 16 bits name 65536 columns");
    }
    require(starts, DType.I32, base.rows() + 1);
    require(columns, DType.I16, values.elements());
    boolean half = values.dtype() == DType.F16 || values.dtype() == DType.BF16;
    if (!half) {
      throw new IllegalArgumentException(values + ": expected F16 or BF16");
    }
  }

  private static void require(Tensor t, DType dtype, long elements) {
    if (t.dtype() != dtype || t.elements() != elements) {
      throw new IllegalArgumentException(
          "%s: expected %s with %d elements".formatted(t, dtype, elements));
    }
  }

  @Override
  public long rows() {
    return base.rows();
  }

  @Override
  public long cols() {
    return base.cols();
  }

  @Override
  public long bytes() {
    return base.bytes() + starts.bytes() + columns.bytes() + values.bytes();
  }

  @Override
  public WithOutliers over(UnaryOperator<Tensor> other) {
    return new WithOutliers(
        base.over(other), other.apply(starts), other.apply(columns), other.apply(values));
  }

  @Override
  public void decode(long from, long n, MemorySegment to) {
    base.decode(from, n, to);
    overlay(from, n, to, 0);
  }

  /**
   * Puts the outliers among {@code n} elements into what the base has there, on the host.
   *
   * @param to takes the first element at index {@code at}, see {@link #FLOAT}
   */
  public void overlay(long from, long n, MemorySegment to, long at) {
    if (n == 0) {
      return;
    }
    long cols = cols();
    for (long row = from / cols; row <= (from + n - 1) / cols; row++) {
      long first = row * cols;
      int end = starts.getInt(row + 1);
      for (int e = atLeast(starts.getInt(row), end, from - first); e < end; e++) {
        long i = first + column(e) - from;
        if (i >= n) {
          break;
        }
        to.set(FLOAT, (at + i) * Float.BYTES, values.getFloat(e));
      }
    }
  }

  /** The column of outlier {@code e}. */
  public int column(long e) {
    return columns.getInt(e) & 0xffff;
  }

  /**
   * Of the ascending columns of outliers {@code low} to {@code high}, the first of this or more.
   */
  private int atLeast(int low, int high, long column) {
    int from = low;
    int to = high;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (column(middle) < column) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  /** Encodes all elements by the base's rule, and holds none apart: its tensors become 0. */
  @Override
  public void encode(Tensor in) {
    base.encode(in);
    starts.memory().fill((byte) 0);
    columns.memory().fill((byte) 0);
    values.memory().fill((byte) 0);
  }

  /** For example {@code q_proj.weight [64, 64] in 4-bit integers, groups of 16, and outliers}. */
  @Override
  public String toString() {
    return base + ", and outliers";
  }
}
