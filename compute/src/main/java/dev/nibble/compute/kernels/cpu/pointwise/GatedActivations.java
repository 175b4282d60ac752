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
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Gated activations: SwiGLU and GeGLU with the tanh approximation of GELU. */
final class GatedActivations {
  // GELU's logistic function is 0 or 1 beyond this; a cube of more would overflow.
  private static final float BOUND = 20;
  private static final float SLOPE = (float) (2 * Math.sqrt(2 / Math.PI));
  private static final float CUBIC = SLOPE * 0.044715f;
  private static final FloatVector ONE = FloatVector.broadcast(F, 1f);

  private final ParallelLoops loops;

  GatedActivations(ParallelLoops loops) {
    this.loops = loops;
  }

  void forward(Tensor out, Tensor gate, Tensor up, Activation a) {
    loops.each(
        out.elements(),
        (f, from, n) -> {
          MemorySegment g = f.read(gate, from, n);
          MemorySegment u = f.read(up, from, n);
          MemorySegment y = f.write(out, from, n);
          MemorySegment e = expMinusArgument(f, g, n, a);
          gate(span(y, 0, n), span(g, 0, n), span(u, 0, n), span(e, 0, n), (int) n);
          f.store(y, out, from);
        });
  }

  /** y = x / (1 + e) * u. */
  private static void gate(long y, long x, long u, long e, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(load(x, i).div(load(e, i).add(1f)).mul(load(u, i)), y, i);
    }
    for (; i < n; i++) {
      set(y, i, get(x, i) / (1 + get(e, i)) * get(u, i));
    }
  }

  void backward(Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    loops.each(
        dout.elements(),
        (f, from, n) -> {
          MemorySegment g = f.read(gate, from, n);
          MemorySegment u = f.read(up, from, n);
          MemorySegment dy = f.read(dout, from, n);
          MemorySegment dg = f.read(dgate, from, n);
          MemorySegment du = f.read(dup, from, n);
          MemorySegment s = expMinusArgument(f, g, n, a);
          reciprocalOfOneMore(span(s, 0, n), (int) n);
          addToUp(span(du, 0, n), span(dy, 0, n), span(g, 0, n), span(s, 0, n), (int) n);
          long inner = a == Activation.GELU_TANH ? slopeOfGelu(f, g, n) : span(g, 0, n);
          addToGate(span(dg, 0, n), span(dy, 0, n), span(u, 0, n), span(s, 0, n), inner, (int) n);
          f.store(dg, dgate, from);
          f.store(du, dup, from);
        });
  }

  /** s = 1 / (1 + s). */
  static void reciprocalOfOneMore(long s, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(ONE.div(load(s, i).add(1f)), s, i);
    }
    for (; i < n; i++) {
      set(s, i, 1 / (1 + get(s, i)));
    }
  }

  /** du += dy x s. */
  private static void addToUp(long du, long dy, long x, long s, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(load(du, i).add(load(dy, i).mul(load(x, i).mul(load(s, i)))), du, i);
    }
    for (; i < n; i++) {
      set(du, i, get(du, i) + get(dy, i) * (get(x, i) * get(s, i)));
    }
  }

  /** dx += dy u s (1 + inner (1 - s)), where inner is x w'(x). */
  private static void addToGate(long dx, long dy, long u, long s, long inner, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      FloatVector p = load(s, i);
      FloatVector slope = p.mul(load(inner, i).fma(ONE.sub(p), ONE));
      store(load(dx, i).add(load(dy, i).mul(load(u, i)).mul(slope)), dx, i);
    }
    for (; i < n; i++) {
      float p = get(s, i);
      set(dx, i, get(dx, i) + get(dy, i) * get(u, i) * (p * (1 + get(inner, i) * (1 - p))));
    }
  }

  /** x w'(x) of GELU. */
  static long slopeOfGelu(WorkerArena f, MemorySegment x, long n) {
    long inner = span(f.allocate(n), 0, n);
    slopeOfGelu(inner, span(x, 0, n), (int) n);
    return inner;
  }

  private static void slopeOfGelu(long inner, long x, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      FloatVector bounded = bounded(load(x, i));
      store(bounded.mul(argumentSlope(bounded)), inner, i);
    }
    for (; i < n; i++) {
      float bounded = bounded(get(x, i));
      set(inner, i, bounded * argumentSlope(bounded));
    }
  }

  /** exp(-w(x)). */
  static MemorySegment expMinusArgument(WorkerArena f, MemorySegment x, long n, Activation a) {
    MemorySegment e = f.allocate(n);
    if (a != Activation.GELU_TANH) {
      VectorMath.exp(x, 0, e, 0, n, -1, 0);
      return e;
    }
    argumentOfGelu(span(e, 0, n), span(x, 0, n), (int) n);
    VectorMath.exp(e, 0, e, 0, n, -1, 0);
    return e;
  }

  private static void argumentOfGelu(long w, long x, int n) {
    int end = vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      store(argument(bounded(load(x, i))), w, i);
    }
    for (; i < n; i++) {
      set(w, i, argument(bounded(get(x, i))));
    }
  }

  private static FloatVector bounded(FloatVector x) {
    FloatVector above = x.blend(-BOUND, x.compare(VectorOperators.LT, -BOUND));
    return above.blend(BOUND, above.compare(VectorOperators.GT, BOUND));
  }

  private static float bounded(float x) {
    return Math.min(Math.max(x, -BOUND), BOUND);
  }

  /** w(x) of GELU. */
  private static FloatVector argument(FloatVector x) {
    return x.mul(x).mul(CUBIC).add(SLOPE).mul(x);
  }

  private static float argument(float x) {
    return (x * x * CUBIC + SLOPE) * x;
  }

  /** w'(x) of GELU. */
  private static FloatVector argumentSlope(FloatVector x) {
    return x.mul(x).mul(3 * CUBIC).add(SLOPE);
  }

  private static float argumentSlope(float x) {
    return x * x * (3 * CUBIC) + SLOPE;
  }
}
