package dev.nibble.compute.kernels.cpu.pointwise;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.span;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.vectorEnd;

import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.kernels.Gelu;
import dev.nibble.compute.kernels.PointwiseKernels;
import dev.nibble.compute.kernels.cpu.work.ColumnSums;
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Element-wise and column-wise operations. */
public final class CpuPointwiseKernels implements PointwiseKernels {
  private static final FloatVector ONE = FloatVector.broadcast(F, 1f);

  private final ParallelLoops loops;
  private final ColumnSums sums;
  private final GatedActivations gated;
  private final GeluForms gelu;

  /** Kernels on the workers of these loops. */
  public CpuPointwiseKernels(ParallelLoops loops, ColumnSums sums) {
    this.loops = loops;
    this.sums = sums;
    gated = new GatedActivations(loops);
    gelu = new GeluForms(loops);
  }

  @Override
  public void add(Tensor out, Tensor a, Tensor b) {
    loops.each(
        out.elements(),
        (f, from, n) -> {
          MemorySegment s = f.read(a, from, n);
          MemorySegment t = f.read(b, from, n);
          MemorySegment y = f.write(out, from, n);
          long end = vectorEnd(0, n);
          long i = 0;
          for (; i < end; i += LANES) {
            store(load(s, i).add(load(t, i)), y, i);
          }
          for (; i < n; i++) {
            set(y, i, get(s, i) + get(t, i));
          }
          f.store(y, out, from);
        });
  }

  @Override
  public void scale(Tensor x, double factor) {
    loops.each(
        x.elements(),
        (f, from, n) -> {
          MemorySegment a = f.read(x, from, n);
          VectorMath.scale(a, 0, n, (float) factor);
          f.store(a, x, from);
        });
  }

  // ---- columns ----

  @Override
  public void scaleColumns(Tensor out, Tensor x, Tensor factors) {
    MemorySegment w = factors.memory();
    long cols = factors.elements();
    loops.rows(
        ParallelLoops.rowsOf(out, cols),
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

  @Override
  public void columnDots(Tensor out, Tensor a, Tensor b) {
    long cols = out.elements();
    sums.sum(
        out,
        ParallelLoops.rowsOf(a, cols),
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

  // ---- activations ----

  @Override
  public void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
    gated.forward(out, gate, up, a);
  }

  @Override
  public void gatedBackward(
      Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    gated.backward(dgate, dup, dout, gate, up, a);
  }

  @Override
  public void geluForward(Tensor out, Tensor x, Gelu form) {
    gelu.forward(out, x, form);
  }

  @Override
  public void geluBackward(Tensor dx, Tensor dout, Tensor x, Gelu form) {
    gelu.backward(dx, dout, x, form);
  }

  @Override
  public void softCapForward(Tensor x, double cap) {
    loops.each(
        x.elements(),
        (f, from, n) -> {
          MemorySegment a = f.read(x, from, n);
          VectorMath.softCap(a, 0, n, (float) cap, f.allocate(n));
          f.store(a, x, from);
        });
  }

  @Override
  public void softCapBackward(Tensor dx, Tensor x, double cap) {
    loops.each(
        dx.elements(),
        (f, from, n) -> {
          MemorySegment a = f.read(x, from, n);
          MemorySegment da = f.read(dx, from, n);
          softCapBackward(span(da, 0, n), span(a, 0, n), (float) cap, (int) n);
          f.store(da, dx, from);
        });
  }

  /** da *= 1 - (a / cap)^2. */
  private static void softCapBackward(long da, long a, float cap, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      FloatVector t = load(a, i).div(cap);
      store(load(da, i).mul(ONE.sub(t.mul(t))), da, i);
    }
    for (; i < n; i++) {
      float t = get(a, i) / cap;
      set(da, i, get(da, i) * (1 - t * t));
    }
  }

  // ---- dropout and noise ----

  @Override
  public void dropoutForward(Tensor out, Tensor x, double rate, long seed) {
    float keep = (float) (1 - rate);
    float threshold = Dropout.threshold(rate);
    loops.each(
        out.elements(),
        (f, from, n) -> {
          MemorySegment a = f.read(x, from, n);
          MemorySegment y = f.write(out, from, n);
          MemorySegment drawn = RandomNumbers.draw(f, seed, from, n);
          long end = vectorEnd(0, n);
          long i = 0;
          for (; i < end; i += LANES) {
            var dropped = load(drawn, i).compare(VectorOperators.LT, threshold);
            store(load(a, i).div(keep).blend(0f, dropped), y, i);
          }
          for (; i < n; i++) {
            set(y, i, get(drawn, i) < threshold ? 0 : get(a, i) / keep);
          }
          f.store(y, out, from);
        });
  }

  @Override
  public void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed) {
    float keep = (float) (1 - rate);
    float threshold = Dropout.threshold(rate);
    loops.each(
        dx.elements(),
        (f, from, n) -> {
          MemorySegment dy = f.read(dout, from, n);
          MemorySegment da = f.read(dx, from, n);
          MemorySegment drawn = RandomNumbers.draw(f, seed, from, n);
          long end = vectorEnd(0, n);
          long i = 0;
          for (; i < end; i += LANES) {
            var dropped = load(drawn, i).compare(VectorOperators.LT, threshold);
            store(load(da, i).add(load(dy, i).div(keep).blend(0f, dropped)), da, i);
          }
          for (; i < n; i++) {
            set(da, i, get(da, i) + (get(drawn, i) < threshold ? 0 : get(dy, i) / keep));
          }
          f.store(da, dx, from);
        });
  }

  @Override
  public void addNoise(Tensor x, Tensor segments, double alpha, long seed) {
    long cols = x.cols();
    for (long s = 0; s < segments.rows(); s++) {
      long start = VectorMath.getInt(segments.memory(), 4 * s) * cols;
      long length = VectorMath.getInt(segments.memory(), 4 * s + 1);
      float magnitude = (float) (alpha / Math.sqrt((double) length * cols));
      loops.each(
          length * cols,
          (f, from, n) -> {
            MemorySegment y = f.read(x, start + from, n);
            MemorySegment drawn = RandomNumbers.draw(f, seed, start + from, n);
            long end = vectorEnd(0, n);
            long i = 0;
            for (; i < end; i += LANES) {
              FloatVector u = load(drawn, i).mul(0x1p-23f).sub(1f);
              store(load(y, i).add(u.mul(magnitude)), y, i);
            }
            for (; i < n; i++) {
              float u = get(drawn, i) * 0x1p-23f - 1;
              set(y, i, get(y, i) + magnitude * u);
            }
            f.store(y, x, start + from);
          });
    }
  }
}
