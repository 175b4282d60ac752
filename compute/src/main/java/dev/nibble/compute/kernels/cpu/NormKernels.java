package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
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
          long end = vectorEnd(0, cols);
          long i = 0;
          for (; i < end; i += LANES) {
            store(load(a, i).mul(r).mul(load(w, i).add(offset)), y, i);
          }
          for (; i < cols; i++) {
            set(y, i, get(a, i) * r * (get(w, i) + offset));
          }
          f.store(y, out, n * cols);
        });
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
          multiply(g, dy, w, offset, cols);
          float mean = (float) (VectorMath.dot(g, 0, a, 0, cols) * r / cols);
          MemorySegment da = f.read(dx, n * cols, cols);
          long end = vectorEnd(0, cols);
          long i = 0;
          for (; i < end; i += LANES) {
            FloatVector d = load(g, i).sub(load(a, i).mul(r).mul(mean)).mul(r);
            store(load(da, i).add(d), da, i);
          }
          for (; i < cols; i++) {
            float d = (get(g, i) - get(a, i) * r * mean) * r;
            set(da, i, get(da, i) + d);
          }
          f.store(da, dx, n * cols);
        });
  }

  /** product[i] = a[i] * (offset + b[i]). */
  private static void multiply(
      MemorySegment product, MemorySegment a, MemorySegment b, float offset, long n) {
    long end = vectorEnd(0, n);
    long i = 0;
    for (; i < end; i += LANES) {
      store(load(a, i).mul(load(b, i).add(offset)), product, i);
    }
    for (; i < n; i++) {
      set(product, i, get(a, i) * (get(b, i) + offset));
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
            turn(a, head, head + pairs, c, s, pairs, direction);
          }
          f.store(a, x, n * cols);
        });
  }

  private static void turn(
      MemorySegment a,
      long left,
      long right,
      MemorySegment cos,
      MemorySegment sin,
      long pairs,
      float direction) {
    long end = vectorEnd(0, pairs);
    long j = 0;
    for (; j < end; j += LANES) {
      FloatVector c = load(cos, j);
      FloatVector s = load(sin, j).mul(direction);
      FloatVector l = load(a, left + j);
      FloatVector r = load(a, right + j);
      store(l.mul(c).sub(r.mul(s)), a, left + j);
      store(r.mul(c).add(l.mul(s)), a, right + j);
    }
    for (; j < pairs; j++) {
      float c = get(cos, j);
      float s = get(sin, j) * direction;
      float l = get(a, left + j);
      float r = get(a, right + j);
      set(a, left + j, l * c - r * s);
      set(a, right + j, r * c + l * s);
    }
  }
}
