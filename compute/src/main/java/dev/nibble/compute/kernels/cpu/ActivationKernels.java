package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.VectorMath.vectorEnd;

import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Functions that bend: gated activations and the soft cap. */
final class ActivationKernels {
  // GELU's logistic function is 0 or 1 beyond this; a cube of more would overflow.
  private static final float BOUND = 20;
  private static final float SLOPE = (float) (2 * Math.sqrt(2 / Math.PI));
  private static final float CUBIC = SLOPE * 0.044715f;
  private static final FloatVector ONE = FloatVector.broadcast(F, 1f);

  private final Stretches stretches;

  ActivationKernels(Stretches stretches) {
    this.stretches = stretches;
  }

  void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
    stretches.each(
        out.elements(),
        (f, from, n) -> {
          MemorySegment g = f.read(gate, from, n);
          MemorySegment u = f.read(up, from, n);
          MemorySegment y = f.write(out, from, n);
          MemorySegment e = expMinusArgument(f, g, n, a);
          long end = vectorEnd(0, n);
          long i = 0;
          for (; i < end; i += LANES) {
            store(load(g, i).div(load(e, i).add(1f)).mul(load(u, i)), y, i);
          }
          for (; i < n; i++) {
            set(y, i, get(g, i) / (1 + get(e, i)) * get(u, i));
          }
          f.store(y, out, from);
        });
  }

  void gatedBackward(Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    boolean gelu = a == Activation.GELU_TANH;
    stretches.each(
        dout.elements(),
        (f, from, n) -> {
          MemorySegment g = f.read(gate, from, n);
          MemorySegment u = f.read(up, from, n);
          MemorySegment dy = f.read(dout, from, n);
          MemorySegment dg = f.read(dgate, from, n);
          MemorySegment du = f.read(dup, from, n);
          MemorySegment e = expMinusArgument(f, g, n, a);
          long end = vectorEnd(0, n);
          long i = 0;
          for (; i < end; i += LANES) {
            FloatVector x = load(g, i);
            FloatVector d = load(dy, i);
            FloatVector s = ONE.div(load(e, i).add(1f));
            store(load(du, i).add(d.mul(x.mul(s))), du, i);
            FloatVector bounded = bounded(x);
            FloatVector inner = gelu ? bounded.mul(argumentSlope(bounded)) : x;
            FloatVector slope = s.mul(inner.fma(ONE.sub(s), ONE));
            store(load(dg, i).add(d.mul(load(u, i)).mul(slope)), dg, i);
          }
          for (; i < n; i++) {
            float x = get(g, i);
            float d = get(dy, i);
            float s = 1 / (1 + get(e, i));
            set(du, i, get(du, i) + d * x * s);
            float bounded = bounded(x);
            float inner = gelu ? bounded * argumentSlope(bounded) : x;
            set(dg, i, get(dg, i) + d * get(u, i) * s * (1 + inner * (1 - s)));
          }
          f.store(dg, dgate, from);
          f.store(du, dup, from);
        });
  }

  /** exp(-w(x)). */
  private static MemorySegment expMinusArgument(Floats f, MemorySegment x, long n, Activation a) {
    MemorySegment e = f.room(n);
    if (a != Activation.GELU_TANH) {
      VectorMath.exp(x, 0, e, 0, n, -1, 0);
      return e;
    }
    long end = vectorEnd(0, n);
    long i = 0;
    for (; i < end; i += LANES) {
      store(argument(bounded(load(x, i))), e, i);
    }
    for (; i < n; i++) {
      set(e, i, argument(bounded(get(x, i))));
    }
    VectorMath.exp(e, 0, e, 0, n, -1, 0);
    return e;
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

  void softCapForward(Tensor x, float cap) {
    stretches.each(
        x.elements(),
        (f, from, n) -> {
          MemorySegment a = f.read(x, from, n);
          VectorMath.softCap(a, 0, n, cap, f.room(n));
          f.store(a, x, from);
        });
  }

  void softCapBackward(Tensor dx, Tensor x, float cap) {
    stretches.each(
        dx.elements(),
        (f, from, n) -> {
          MemorySegment a = f.read(x, from, n);
          MemorySegment da = f.read(dx, from, n);
          long end = vectorEnd(0, n);
          long i = 0;
          for (; i < end; i += LANES) {
            FloatVector t = load(a, i).div(cap);
            store(load(da, i).mul(ONE.sub(t.mul(t))), da, i);
          }
          for (; i < n; i++) {
            float t = get(a, i) / cap;
            set(da, i, get(da, i) * (1 - t * t));
          }
          f.store(da, dx, from);
        });
  }
}
