package dev.nibble.compute.kernels.cpu.optimizers;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.vectorEnd;

import dev.nibble.compute.kernels.DynamicMap;
import dev.nibble.compute.kernels.OptimizerKernels;
import dev.nibble.compute.kernels.OptimizerKernels.AdafactorStep;
import dev.nibble.compute.kernels.OptimizerKernels.AdamWStep;
import dev.nibble.compute.kernels.OptimizerKernels.LionStep;
import dev.nibble.compute.kernels.OptimizerKernels.SgdStep;
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.Workers;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Optimizer updates, and the sum of squares for the gradient norm. Vector loops and their scalar
 * tails use the same operations, so that an element's bits do not depend on its position.
 */
public final class CpuOptimizerKernels implements OptimizerKernels {
  /** Elements that are worth a second thread. */
  private static final long GRAIN = 4096;

  private static final int BLOCK = DynamicMap.BLOCK;

  /**
   * Parts of a sum over all elements; a fixed number, so that the bits do not depend on the
   * threads.
   */
  private static final int PARTS = 64;

  /** Elements that are summed at once. */
  private static final long SQUARES = 1 << 13;

  private static final VectorSpecies<Double> D = F.withLanes(double.class);

  private final Workers workers;
  private final ParallelLoops loops;
  private final double[] partialSums = new double[PARTS];
  private final float[][] first;
  private final float[][] second;
  private final Adafactor adafactor;

  /** Kernels on these workers. */
  public CpuOptimizerKernels(Workers workers, ParallelLoops loops) {
    this.workers = workers;
    this.loops = loops;
    first = new float[workers.threads()][BLOCK];
    second = new float[workers.threads()][BLOCK];
    adafactor = new Adafactor(workers);
  }

  @Override
  public void sumOfSquares(Tensor out, Tensor x) {
    long n = x.elements();
    Arrays.fill(partialSums, 0);
    long part = (n + PARTS - 1) / PARTS;
    loops.rows(
        PARTS,
        part,
        (f, p) -> {
          double sum = 0;
          long to = Math.min(n, (p + 1) * part);
          for (long from = p * part; from < to; from += SQUARES) {
            f.release(0);
            MemorySegment a = f.read(x, from, Math.min(SQUARES, to - from));
            sum += sumOfSquares(a);
          }
          partialSums[(int) p] = sum;
        });
    double total = 0;
    for (double s : partialSums) {
      total += s;
    }
    out.setFloat(0, out.getDouble(0) + total);
  }

  private static double sumOfSquares(MemorySegment a) {
    long n = a.byteSize() / 4;
    long end = vectorEnd(0, n);
    DoubleVector low = DoubleVector.zero(D);
    DoubleVector high = DoubleVector.zero(D);
    long i = 0;
    for (; i < end; i += LANES) {
      FloatVector x = load(a, i);
      DoubleVector x0 = (DoubleVector) x.convertShape(VectorOperators.F2D, D, 0);
      DoubleVector x1 = (DoubleVector) x.convertShape(VectorOperators.F2D, D, 1);
      low = x0.fma(x0, low);
      high = x1.fma(x1, high);
    }
    double sum = 0;
    for (double lane : low.add(high).toDoubleArray()) { // in order, unlike reduceLanes
      sum += lane;
    }
    for (; i < n; i++) {
      double x = get(a, i);
      sum += x * x;
    }
    return sum;
  }

  // ---- AdamW ----

  /** The coefficients of AdamW in float32. */
  private record Adam(
      float decay, float b1, float c1, float b2, float c2, float size, float root, float eps) {
    static Adam of(AdamWStep s) {
      return new Adam(
          (float) (1 - s.learningRate() * s.weightDecay()),
          (float) s.beta1(),
          (float) (1 - s.beta1()),
          (float) s.beta2(),
          (float) (1 - s.beta2()),
          (float) (s.learningRate() / (1 - Math.pow(s.beta1(), (double) s.step()))),
          (float) Math.sqrt(1 - Math.pow(s.beta2(), (double) s.step())),
          (float) s.epsilon());
    }

    FloatVector moved(FloatVector w, FloatVector p, FloatVector q) {
      return w.mul(decay).sub(p.mul(size).div(q.sqrt().div(root).add(eps)));
    }

    float moved(float w, float p, float q) {
      return w * decay - p * size / ((float) Math.sqrt(q) / root + eps);
    }
  }

  @Override
  public void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, AdamWStep step) {
    MemorySegment w = weight.memory();
    MemorySegment first = m.memory();
    MemorySegment second = v.memory();
    MemorySegment g = gradient.memory();
    Adam a = Adam.of(step);
    workers.split(
        weight.elements(),
        GRAIN,
        (worker, from, to) -> {
          long end = vectorEnd(from, to);
          long i = from;
          for (; i < end; i += LANES) {
            FloatVector x = load(g, i);
            FloatVector p = load(first, i).mul(a.b1).add(x.mul(a.c1));
            FloatVector q = load(second, i).mul(a.b2).add(x.mul(x).mul(a.c2));
            store(p, first, i);
            store(q, second, i);
            store(a.moved(load(w, i), p, q), w, i);
          }
          for (; i < to; i++) {
            float x = get(g, i);
            float p = get(first, i) * a.b1 + x * a.c1;
            float q = get(second, i) * a.b2 + x * x * a.c2;
            set(first, i, p);
            set(second, i, q);
            set(w, i, a.moved(get(w, i), p, q));
          }
        });
  }

  // ---- 8-bit moments ----

  @Override
  public void adamW8bit(
      Tensor weight,
      Tensor m,
      Tensor mScales,
      Tensor v,
      Tensor vScales,
      Tensor gradient,
      AdamWStep step) {
    long n = weight.elements();
    Adam a = Adam.of(step);
    workers.split(
        Math.ceilDiv(n, BLOCK),
        GRAIN / BLOCK,
        (worker, from, to) -> {
          float[] p = first[worker];
          float[] q = second[worker];
          for (long block = from; block < to; block++) {
            long at = block * BLOCK;
            int count = (int) Math.min(BLOCK, n - at);
            decode(p, m, mScales, block, count, DynamicMap.SIGNED);
            decode(q, v, vScales, block, count, DynamicMap.UNSIGNED);
            move(weight.memory(), p, q, gradient.memory(), at, count, a);
            encode(m, mScales, p, block, count, DynamicMap.SIGNED);
            encode(v, vScales, q, block, count, DynamicMap.UNSIGNED);
          }
        });
  }

  private static void decode(
      float[] out, Tensor codes, Tensor scales, long block, int count, DynamicMap map) {
    MemorySegment from = codes.memory();
    float scale = get(scales.memory(), block);
    for (int i = 0; i < count; i++) {
      out[i] = map.value(from.get(ValueLayout.JAVA_BYTE, block * BLOCK + i)) * scale;
    }
  }

  /** Updates the moments, and the weights by them. */
  private static void move(
      MemorySegment w, float[] p, float[] q, MemorySegment g, long at, int count, Adam a) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector x = load(g, at + i);
      FloatVector p1 = FloatVector.fromArray(F, p, i).mul(a.b1).add(x.mul(a.c1));
      FloatVector q1 = FloatVector.fromArray(F, q, i).mul(a.b2).add(x.mul(x).mul(a.c2));
      p1.intoArray(p, i);
      q1.intoArray(q, i);
      store(a.moved(load(w, at + i), p1, q1), w, at + i);
    }
    for (; i < count; i++) {
      float x = get(g, at + i);
      p[i] = p[i] * a.b1 + x * a.c1;
      q[i] = q[i] * a.b2 + x * x * a.c2;
      set(w, at + i, a.moved(get(w, at + i), p[i], q[i]));
    }
  }

  private static void encode(
      Tensor codes, Tensor scales, float[] x, long block, int count, DynamicMap map) {
    float absmax = 0;
    for (int i = 0; i < count; i++) {
      absmax = Math.max(absmax, Math.abs(x[i]));
    }
    set(scales.memory(), block, absmax);
    float divisor = Math.max(absmax, Float.MIN_NORMAL);
    MemorySegment to = codes.memory();
    for (int i = 0; i < count; i++) {
      to.set(ValueLayout.JAVA_BYTE, block * BLOCK + i, map.code(x[i] / divisor));
    }
  }

  // ---- Lion, SGD, Adafactor ----

  @Override
  public void lion(Tensor weight, Tensor m, Tensor gradient, LionStep step) {
    MemorySegment w = weight.memory();
    MemorySegment momentum = m.memory();
    MemorySegment g = gradient.memory();
    float decay = (float) (1 - step.learningRate() * step.weightDecay());
    float lr = (float) step.learningRate();
    float b1 = (float) step.beta1();
    float c1 = (float) (1 - step.beta1());
    float b2 = (float) step.beta2();
    float c2 = (float) (1 - step.beta2());
    workers.split(
        weight.elements(),
        GRAIN,
        (worker, from, to) -> {
          long end = vectorEnd(from, to);
          long i = from;
          for (; i < end; i += LANES) {
            FloatVector x = load(g, i);
            FloatVector old = load(momentum, i);
            FloatVector u = old.mul(b1).add(x.mul(c1));
            VectorMask<Float> above = u.compare(VectorOperators.GT, 0);
            VectorMask<Float> below = u.compare(VectorOperators.LT, 0);
            FloatVector size = FloatVector.zero(F).blend(lr, above).blend(-lr, below);
            store(load(w, i).mul(decay).sub(size), w, i);
            store(old.mul(b2).add(x.mul(c2)), momentum, i);
          }
          for (; i < to; i++) {
            float x = get(g, i);
            float old = get(momentum, i);
            float u = old * b1 + x * c1;
            set(w, i, get(w, i) * decay - (u > 0 ? lr : u < 0 ? -lr : 0));
            set(momentum, i, old * b2 + x * c2);
          }
        });
  }

  @Override
  public void sgd(Tensor weight, Tensor velocity, Tensor gradient, SgdStep step) {
    MemorySegment w = weight.memory();
    MemorySegment v = velocity.memory();
    MemorySegment g = gradient.memory();
    float decay = (float) (1 - step.learningRate() * step.weightDecay());
    float lr = (float) step.learningRate();
    float momentum = (float) step.momentum();
    workers.split(
        weight.elements(),
        GRAIN,
        (worker, from, to) -> {
          long end = vectorEnd(from, to);
          long i = from;
          for (; i < end; i += LANES) {
            FloatVector u = load(v, i).mul(momentum).add(load(g, i));
            store(u, v, i);
            store(load(w, i).mul(decay).sub(u.mul(lr)), w, i);
          }
          for (; i < to; i++) {
            float u = get(v, i) * momentum + get(g, i);
            set(v, i, u);
            set(w, i, get(w, i) * decay - u * lr);
          }
        });
  }

  @Override
  public void adafactor(
      Tensor weight, Tensor rows, Tensor columns, Tensor gradient, AdafactorStep step) {
    adafactor.step(weight, rows, columns, gradient, step);
  }
}
