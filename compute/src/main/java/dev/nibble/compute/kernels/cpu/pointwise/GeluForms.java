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
import dev.nibble.compute.kernels.Gelu;
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * GELU, x P(x), in its three forms.
 *
 * <p>The distribution function of a normal variable is, for a = |x|, P(-a) = exp(-a^2/2) t Q(t)
 * with t = 1/(1 + 0.3 a): Q is a polynomial fitted to the rest, within 3e-8 of it for every a. The
 * square is taken in two parts, so that the exponential keeps its digits in the tail.
 */
final class GeluForms {
  private static final float QUICK = 1.702f;
  // P is 0 or 1 beyond this.
  private static final float BOUND = 20;
  private static final float STEP = 0.3f;
  private static final float DENSITY = (float) (1 / Math.sqrt(2 * Math.PI));
  private static final float[] Q = {
    0.119682685f,
    0.119682156f,
    0.108932905f,
    0.087036185f,
    0.0604382f,
    0.016644526f,
    0.020960934f,
    -0.029246083f,
    -0.03337616f,
    0.04030692f,
    -0.011062279f
  };
  private static final FloatVector ONE = FloatVector.broadcast(F, 1f);

  private final ParallelLoops loops;

  GeluForms(ParallelLoops loops) {
    this.loops = loops;
  }

  void forward(Tensor out, Tensor x, Gelu form) {
    loops.each(
        out.elements(),
        (f, from, n) -> {
          MemorySegment a = f.read(x, from, n);
          MemorySegment y = f.write(out, from, n);
          MemorySegment p = distribution(f, a, n, form);
          multiply(span(y, 0, n), span(a, 0, n), span(p, 0, n), (int) n);
          f.store(y, out, from);
        });
  }

  void backward(Tensor dx, Tensor dout, Tensor x, Gelu form) {
    loops.each(
        dx.elements(),
        (f, from, n) -> {
          MemorySegment a = f.read(x, from, n);
          MemorySegment dy = f.read(dout, from, n);
          MemorySegment da = f.read(dx, from, n);
          MemorySegment p = distribution(f, a, n, form);
          long inner = inner(f, a, span(p, 0, n), n, form);
          add(span(da, 0, n), span(dy, 0, n), span(p, 0, n), inner, (int) n);
          f.store(da, dx, from);
        });
  }

  /** y = a p. */
  private static void multiply(long y, long a, long p, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(load(a, i).mul(load(p, i)), y, i);
    }
    for (; i < n; i++) {
      set(y, i, get(a, i) * get(p, i));
    }
  }

  /** da += dy (p + inner). */
  private static void add(long da, long dy, long p, long inner, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(load(da, i).add(load(dy, i).mul(load(p, i).add(load(inner, i)))), da, i);
    }
    for (; i < n; i++) {
      set(da, i, get(da, i) + get(dy, i) * (get(p, i) + get(inner, i)));
    }
  }

  /** P(x). */
  private static MemorySegment distribution(WorkerArena f, MemorySegment x, long n, Gelu form) {
    if (form == Gelu.EXACT) {
      MemorySegment p = densityShape(f, x, n);
      normal(span(p, 0, n), span(x, 0, n), (int) n);
      return p;
    }
    MemorySegment p;
    if (form == Gelu.TANH) {
      p = GatedActivations.expMinusArgument(f, x, n, Activation.GELU_TANH);
    } else {
      p = f.allocate(n);
      VectorMath.exp(x, 0, p, 0, n, -QUICK, 0);
    }
    GatedActivations.reciprocalOfOneMore(span(p, 0, n), (int) n);
    return p;
  }

  /** x P'(x). */
  private static long inner(WorkerArena f, MemorySegment x, long p, long n, Gelu form) {
    long inner;
    if (form == Gelu.EXACT) {
      inner = span(densityShape(f, x, n), 0, n);
      timesScaled(inner, span(x, 0, n), DENSITY, (int) n);
      return inner;
    }
    if (form == Gelu.TANH) {
      inner = GatedActivations.slopeOfGelu(f, x, n);
    } else {
      inner = span(f.allocate(n), 0, n);
      scaled(inner, span(x, 0, n), (int) n);
    }
    timesVariance(inner, p, (int) n);
    return inner;
  }

  /** to = 1.702 x. */
  private static void scaled(long to, long x, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(load(x, i).mul(QUICK), to, i);
    }
    for (; i < n; i++) {
      set(to, i, get(x, i) * QUICK);
    }
  }

  /** to *= p (1 - p), the slope of the logistic function. */
  private static void timesVariance(long to, long p, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      FloatVector s = load(p, i);
      store(load(to, i).mul(s.mul(ONE.sub(s))), to, i);
    }
    for (; i < n; i++) {
      float s = get(p, i);
      set(to, i, get(to, i) * (s * (1 - s)));
    }
  }

  /** to *= factor x. */
  private static void timesScaled(long to, long x, float factor, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(load(to, i).mul(load(x, i)).mul(factor), to, i);
    }
    for (; i < n; i++) {
      set(to, i, get(to, i) * get(x, i) * factor);
    }
  }

  /** exp(-x^2/2). */
  private static MemorySegment densityShape(WorkerArena f, MemorySegment x, long n) {
    MemorySegment e = f.allocate(n);
    squares(span(e, 0, n), span(x, 0, n), (int) n);
    VectorMath.exp(e, 0, e, 0, n, -0.5f, 0);
    addRestOfSquares(span(e, 0, n), span(x, 0, n), (int) n);
    return e;
  }

  private static void squares(long to, long x, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      FloatVector a = bounded(load(x, i));
      store(a.mul(a), to, i);
    }
    for (; i < n; i++) {
      float a = bounded(get(x, i));
      set(to, i, a * a);
    }
  }

  /** e = exp(-s/2), with s the rounded square; times exp(-r/2) = 1 - r/2, with r the rest. */
  private static void addRestOfSquares(long e, long x, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      FloatVector a = bounded(load(x, i));
      FloatVector rest = a.fma(a, a.mul(a).neg());
      store(load(e, i).mul(rest.mul(-0.5f).add(1f)), e, i);
    }
    for (; i < n; i++) {
      float a = bounded(get(x, i));
      float rest = Math.fma(a, a, -(a * a));
      set(e, i, get(e, i) * (1 - 0.5f * rest));
    }
  }

  /** p = P(x), where p is exp(-x^2/2). */
  private static void normal(long p, long x, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      FloatVector v = load(x, i);
      FloatVector t = ONE.div(bounded(v).mul(STEP).add(1f));
      FloatVector q = FloatVector.broadcast(F, Q[Q.length - 1]);
      for (int k = Q.length - 2; k >= 0; k--) {
        q = q.fma(t, FloatVector.broadcast(F, Q[k]));
      }
      FloatVector lower = load(p, i).mul(t).mul(q);
      store(lower.blend(ONE.sub(lower), v.compare(VectorOperators.GT, 0f)), p, i);
    }
    for (; i < n; i++) {
      float t = 1 / (1 + STEP * bounded(get(x, i)));
      float q = Q[Q.length - 1];
      for (int k = Q.length - 2; k >= 0; k--) {
        q = Math.fma(q, t, Q[k]);
      }
      float lower = get(p, i) * t * q;
      set(p, i, get(x, i) > 0 ? 1 - lower : lower);
    }
  }

  /** |x|, up to the bound. */
  private static FloatVector bounded(FloatVector x) {
    FloatVector a = x.abs();
    return a.blend(BOUND, a.compare(VectorOperators.GT, BOUND));
  }

  private static float bounded(float x) {
    return Math.min(Math.abs(x), BOUND);
  }
}
