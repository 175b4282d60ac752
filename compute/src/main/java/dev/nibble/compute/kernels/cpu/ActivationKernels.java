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
  /** Elements that are worth a second thread. */
  private static final long GRAIN = 4096;

  // GELU's logistic function is 0 or 1 beyond this; a cube of more would overflow.
  private static final float BOUND = 20;
  private static final float SLOPE = (float) (2 * Math.sqrt(2 / Math.PI));
  private static final float CUBIC = SLOPE * 0.044715f;
  private static final FloatVector ONE = FloatVector.broadcast(F, 1f);

  private final Workers workers;

  ActivationKernels(Workers workers) {
    this.workers = workers;
  }

  void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
    MemorySegment y = out.memory();
    MemorySegment g = gate.memory();
    MemorySegment u = up.memory();
    boolean gelu = a == Activation.GELU_TANH;
    workers.split(
        out.elements(),
        GRAIN,
        (worker, from, to) -> {
          long end = vectorEnd(from, to);
          long i = from;
          for (; i < end; i += LANES) {
            FloatVector x = load(g, i);
            FloatVector w = gelu ? argument(bounded(x)) : x;
            store(x.div(VectorMath.exp(w.neg()).add(1f)).mul(load(u, i)), y, i);
          }
          for (; i < to; i++) {
            float x = get(g, i);
            float w = gelu ? argument(bounded(x)) : x;
            set(y, i, x / (1 + VectorMath.exp(-w)) * get(u, i));
          }
        });
  }

  void gatedBackward(Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    MemorySegment dg = dgate.memory();
    MemorySegment du = dup.memory();
    MemorySegment dy = dout.memory();
    MemorySegment g = gate.memory();
    MemorySegment u = up.memory();
    boolean gelu = a == Activation.GELU_TANH;
    workers.split(
        dout.elements(),
        GRAIN,
        (worker, from, to) -> {
          long end = vectorEnd(from, to);
          long i = from;
          for (; i < end; i += LANES) {
            FloatVector x = load(g, i);
            FloatVector d = load(dy, i);
            FloatVector bounded = bounded(x);
            FloatVector w = gelu ? argument(bounded) : x;
            FloatVector s = ONE.div(VectorMath.exp(w.neg()).add(1f));
            store(load(du, i).add(d.mul(x.mul(s))), du, i);
            FloatVector inner = gelu ? bounded.mul(argumentSlope(bounded)) : x;
            FloatVector slope = s.mul(inner.fma(ONE.sub(s), ONE));
            store(load(dg, i).add(d.mul(load(u, i)).mul(slope)), dg, i);
          }
          for (; i < to; i++) {
            float x = get(g, i);
            float d = get(dy, i);
            float bounded = bounded(x);
            float w = gelu ? argument(bounded) : x;
            float s = 1 / (1 + VectorMath.exp(-w));
            float inner = gelu ? bounded * argumentSlope(bounded) : x;
            set(du, i, get(du, i) + d * x * s);
            set(dg, i, get(dg, i) + d * get(u, i) * s * (1 + inner * (1 - s)));
          }
        });
  }

  private static FloatVector bounded(FloatVector x) {
    return x.lanewise(VectorOperators.MAX, -BOUND).lanewise(VectorOperators.MIN, BOUND);
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
    workers.split(
        x.elements(),
        GRAIN,
        (worker, from, to) -> VectorMath.softCap(x.memory(), from, to - from, cap));
  }

  void softCapBackward(Tensor dx, Tensor x, float cap) {
    MemorySegment da = dx.memory();
    MemorySegment a = x.memory();
    workers.split(
        dx.elements(),
        GRAIN,
        (worker, from, to) -> {
          long end = vectorEnd(from, to);
          long i = from;
          for (; i < end; i += LANES) {
            FloatVector t = load(a, i).div(cap);
            store(load(da, i).mul(ONE.sub(t.mul(t))), da, i);
          }
          for (; i < to; i++) {
            float t = get(a, i) / cap;
            set(da, i, get(da, i) * (1 - t * t));
          }
        });
  }
}
