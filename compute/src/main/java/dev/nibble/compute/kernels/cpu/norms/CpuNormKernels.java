package dev.nibble.compute.kernels.cpu.norms;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.span;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.vectorEnd;

import dev.nibble.compute.kernels.NormKernels;
import dev.nibble.compute.kernels.cpu.work.Arguments;
import dev.nibble.compute.kernels.cpu.work.ColumnSums;
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.Workers;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** RMSNorm, LayerNorm and rotary position embedding, one row at a time, and DoRA's row norms. */
public final class CpuNormKernels implements NormKernels {
  /** Rows that are worth a second thread in {@link #inverseRowNorms}. */
  private static final long ROWS = 16;

  private final Workers workers;
  private final ParallelLoops loops;
  private final ColumnSums sums;

  /** Kernels on these workers. */
  public CpuNormKernels(Workers workers, ParallelLoops loops, ColumnSums sums) {
    this.workers = workers;
    this.loops = loops;
    this.sums = sums;
  }

  // ---- norm ----

  @Override
  public void rmsNormForward(
      Tensor out, Tensor rstd, Tensor x, Tensor weight, double offset, double eps) {
    MemorySegment w = weight.memory();
    long cols = x.cols();
    loops.rows(
        x.rows(),
        cols,
        (f, n) -> {
          MemorySegment a = f.read(x, n * cols, cols);
          MemorySegment y = f.write(out, n * cols, cols);
          float r = (float) (1 / Math.sqrt(VectorMath.dot(a, 0, a, 0, cols) / cols + eps));
          set(rstd.memory(), n, r);
          scale(
              span(y, 0, cols), span(a, 0, cols), r, span(w, 0, cols), (float) offset, (int) cols);
          f.store(y, out, n * cols);
        });
  }

  /** y = a r (offset + w). */
  private static void scale(long y, long a, float r, long w, float offset, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(load(a, i).mul(r).mul(load(w, i).add(offset)), y, i);
    }
    for (; i < n; i++) {
      set(y, i, get(a, i) * r * (get(w, i) + offset));
    }
  }

  @Override
  public void rmsNormBackward(
      Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, double offset) {
    MemorySegment w = weight.memory();
    long cols = x.cols();
    loops.rows(
        x.rows(),
        cols,
        (f, n) -> {
          MemorySegment a = f.read(x, n * cols, cols);
          MemorySegment g = f.allocate(cols);
          MemorySegment dy = f.read(dout, n * cols, cols);
          float r = get(rstd.memory(), n);
          scale(
              span(g, 0, cols), span(dy, 0, cols), 1, span(w, 0, cols), (float) offset, (int) cols);
          float mean = (float) (VectorMath.dot(g, 0, a, 0, cols) * r / cols);
          MemorySegment da = f.read(dx, n * cols, cols);
          add(span(da, 0, cols), span(g, 0, cols), span(a, 0, cols), r, mean, (int) cols);
          f.store(da, dx, n * cols);
        });
  }

  /** da += (g - a r mean) r. */
  private static void add(long da, long g, long a, float r, float mean, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      FloatVector d = load(g, i).sub(load(a, i).mul(r).mul(mean)).mul(r);
      store(load(da, i).add(d), da, i);
    }
    for (; i < n; i++) {
      float d = (get(g, i) - get(a, i) * r * mean) * r;
      set(da, i, get(da, i) + d);
    }
  }

  @Override
  public void rmsNormBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd) {
    long cols = x.cols();
    sums.sum(
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

  @Override
  public void layerNormForward(
      Tensor out, Tensor mean, Tensor rstd, Tensor x, Tensor weight, Tensor bias, double eps) {
    MemorySegment w = weight.memory();
    MemorySegment b = bias.memory();
    long cols = x.cols();
    loops.rows(
        x.rows(),
        cols,
        (f, n) -> {
          MemorySegment a = f.read(x, n * cols, cols);
          MemorySegment h = f.allocate(cols);
          MemorySegment y = f.write(out, n * cols, cols);
          float m = (float) (VectorMath.sum(a, 0, cols) / cols);
          center(span(h, 0, cols), span(a, 0, cols), m, 1, (int) cols);
          float r = (float) (1 / Math.sqrt(VectorMath.dot(h, 0, h, 0, cols) / cols + eps));
          set(mean.memory(), n, m);
          set(rstd.memory(), n, r);
          scale(span(y, 0, cols), span(h, 0, cols), r, span(w, 0, cols), 0, (int) cols);
          VectorMath.add(y, b, cols);
          f.store(y, out, n * cols);
        });
  }

  /** h = (a - mean) r. */
  private static void center(long h, long a, float mean, float r, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(load(a, i).sub(mean).mul(r), h, i);
    }
    for (; i < n; i++) {
      set(h, i, (get(a, i) - mean) * r);
    }
  }

  @Override
  public void layerNormBackward(
      Tensor dx, Tensor dout, Tensor x, Tensor mean, Tensor rstd, Tensor weight) {
    MemorySegment w = weight.memory();
    long cols = x.cols();
    loops.rows(
        x.rows(),
        cols,
        (f, n) -> {
          float r = get(rstd.memory(), n);
          MemorySegment a = f.read(x, n * cols, cols);
          MemorySegment h = f.allocate(cols);
          center(span(h, 0, cols), span(a, 0, cols), get(mean.memory(), n), r, (int) cols);
          MemorySegment g = f.allocate(cols);
          MemorySegment dy = f.read(dout, n * cols, cols);
          scale(span(g, 0, cols), span(dy, 0, cols), 1, span(w, 0, cols), 0, (int) cols);
          float shift = (float) (VectorMath.sum(g, 0, cols) / cols);
          float dot = (float) (VectorMath.dot(g, 0, h, 0, cols) / cols);
          MemorySegment da = f.read(dx, n * cols, cols);
          center(span(g, 0, cols), span(g, 0, cols), shift, 1, (int) cols);
          addCentered(span(da, 0, cols), span(g, 0, cols), span(h, 0, cols), r, dot, (int) cols);
          f.store(da, dx, n * cols);
        });
  }

  /** da += (g - h dot) r. */
  private static void addCentered(long da, long g, long h, float r, float dot, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(load(da, i).add(load(g, i).sub(load(h, i).mul(dot)).mul(r)), da, i);
    }
    for (; i < n; i++) {
      set(da, i, get(da, i) + (get(g, i) - get(h, i) * dot) * r);
    }
  }

  @Override
  public void layerNormBackwardWeight(
      Tensor dweight, Tensor dout, Tensor x, Tensor mean, Tensor rstd) {
    long cols = x.cols();
    sums.sum(
        dweight,
        x.rows(),
        (sum, f, row, column, n) -> {
          MemorySegment dy = f.read(dout, row * cols + column, n);
          MemorySegment a = f.read(x, row * cols + column, n);
          float m = get(mean.memory(), row);
          float r = get(rstd.memory(), row);
          long end = vectorEnd(0, n);
          long c = 0;
          for (; c < end; c += LANES) {
            store(load(sum, c).add(load(dy, c).mul(load(a, c).sub(m)).mul(r)), sum, c);
          }
          for (; c < n; c++) {
            set(sum, c, get(sum, c) + get(dy, c) * (get(a, c) - m) * r);
          }
        });
  }

  @Override
  public void inverseRowNorms(
      Tensor out, Tensor squares, Tensor b, Tensor p, Tensor q, double scale) {
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

  // ---- rope ----

  @Override
  public void ropeForward(Tensor x, Tensor cos, Tensor sin, Tensor positions) {
    rope(x, cos, sin, positions, 1);
  }

  @Override
  public void ropeBackward(Tensor dx, Tensor cos, Tensor sin, Tensor positions) {
    rope(dx, cos, sin, positions, -1);
  }

  /** Rotates each pair by its angle; {@code direction} is 1 in forward and -1 in backward. */
  private void rope(Tensor x, Tensor cos, Tensor sin, Tensor positions, float direction) {
    long pairs = cos.cols();
    long headSize = x.dim(-1);
    long cols = headSize * x.dim(-2);
    loops.rows(
        positions.elements(),
        cols,
        (f, n) -> {
          long angle = Arguments.row(cos, positions, n) * pairs;
          MemorySegment c = cos.memory().asSlice(4 * angle, 4 * pairs);
          MemorySegment s = sin.memory().asSlice(4 * angle, 4 * pairs);
          MemorySegment a = f.read(x, n * cols, cols);
          for (long head = 0; head < cols; head += headSize) {
            long left = span(a, head, 2 * pairs);
            rotate(
                left,
                left + 4 * pairs,
                span(c, 0, pairs),
                span(s, 0, pairs),
                (int) pairs,
                direction);
          }
          f.store(a, x, n * cols);
        });
  }

  private static void rotate(
      long left, long right, long cos, long sin, int pairs, float direction) {
    int end = vectorEnd(pairs);
    int j = 0;
    for (; j < end; j += LANES) {
      FloatVector c = load(cos, j);
      FloatVector s = load(sin, j).mul(direction);
      FloatVector l = load(left, j);
      FloatVector r = load(right, j);
      store(l.mul(c).sub(r.mul(s)), left, j);
      store(r.mul(c).add(l.mul(s)), right, j);
    }
    for (; j < pairs; j++) {
      float c = get(cos, j);
      float s = get(sin, j) * direction;
      float l = get(left, j);
      float r = get(right, j);
      set(left, j, l * c - r * s);
      set(right, j, r * c + l * s);
    }
  }
}
