package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.VectorMath.span;
import static dev.nibble.compute.kernels.cpu.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.VectorMath.vectorEnd;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** RMSNorm and rope, a token's row at a time. */
final class NormKernels {
  private final Stretches stretches;

  NormKernels(Stretches stretches) {
    this.stretches = stretches;
  }

  // ---- norm ----

  void forward(Tensor out, Tensor rstd, Tensor x, Tensor weight, float offset, double eps) {
    MemorySegment w = weight.memory();
    long cols = x.cols();
    stretches.rows(
        x.rows(),
        cols,
        (f, n) -> {
          MemorySegment a = f.read(x, n * cols, cols);
          MemorySegment y = f.write(out, n * cols, cols);
          float r = (float) (1 / Math.sqrt(VectorMath.dot(a, 0, a, 0, cols) / cols + eps));
          set(rstd.memory(), n, r);
          scale(span(y, 0, cols), span(a, 0, cols), r, span(w, 0, cols), offset, (int) cols);
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

  void backward(Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, float offset) {
    MemorySegment w = weight.memory();
    long cols = x.cols();
    stretches.rows(
        x.rows(),
        cols,
        (f, n) -> {
          MemorySegment a = f.read(x, n * cols, cols);
          MemorySegment g = f.room(cols);
          MemorySegment dy = f.read(dout, n * cols, cols);
          float r = get(rstd.memory(), n);
          scale(span(g, 0, cols), span(dy, 0, cols), 1, span(w, 0, cols), offset, (int) cols);
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

  // ---- rope ----

  /** Turns each pair by its angle; {@code direction} is 1 forwards and -1 backwards. */
  void rope(Tensor x, Tensor cos, Tensor sin, Tensor positions, float direction) {
    long pairs = cos.cols();
    long headSize = x.dim(-1);
    long cols = headSize * x.dim(-2);
    stretches.rows(
        positions.elements(),
        cols,
        (f, n) -> {
          long angle = RowKernels.row(cos, positions, n) * pairs;
          MemorySegment c = cos.memory().asSlice(4 * angle, 4 * pairs);
          MemorySegment s = sin.memory().asSlice(4 * angle, 4 * pairs);
          MemorySegment a = f.read(x, n * cols, cols);
          for (long head = 0; head < cols; head += headSize) {
            long left = span(a, head, 2 * pairs);
            turn(
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

  private static void turn(long left, long right, long cos, long sin, int pairs, float direction) {
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
