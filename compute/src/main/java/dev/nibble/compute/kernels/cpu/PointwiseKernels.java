package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.VectorMath.vectorEnd;

import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** What works on each element alone. */
final class PointwiseKernels {
  /** Elements that are worth a second thread. */
  private static final long GRAIN = 4096;

  /**
   * Parts of a sum over all elements; a fixed number, so that the bits do not depend on the
   * threads.
   */
  private static final int PARTS = 64;

  private static final VectorSpecies<Double> D = F.withLanes(double.class);

  private final Workers workers;
  private final double[] partialSums = new double[PARTS];

  PointwiseKernels(Workers workers) {
    this.workers = workers;
  }

  void add(Tensor out, Tensor a, Tensor b) {
    MemorySegment y = out.memory();
    MemorySegment s = a.memory();
    MemorySegment t = b.memory();
    workers.split(
        out.elements(),
        GRAIN,
        (worker, from, to) -> {
          long end = vectorEnd(from, to);
          long i = from;
          for (; i < end; i += LANES) {
            store(load(s, i).add(load(t, i)), y, i);
          }
          for (; i < to; i++) {
            set(y, i, get(s, i) + get(t, i));
          }
        });
  }

  void scale(Tensor x, double factor) {
    workers.split(
        x.elements(),
        GRAIN,
        (worker, from, to) -> VectorMath.scale(x.memory(), from, to - from, (float) factor));
  }

  // ---- dropout ----

  void dropoutForward(Tensor out, Tensor x, double rate, long seed) {
    MemorySegment y = out.memory();
    MemorySegment a = x.memory();
    float keep = (float) (1 - rate);
    workers.split(
        out.elements(),
        GRAIN,
        (worker, from, to) -> {
          for (long i = from; i < to; i++) {
            set(y, i, Dropout.isDropped(seed, i, rate) ? 0 : get(a, i) / keep);
          }
        });
  }

  void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed) {
    MemorySegment da = dx.memory();
    MemorySegment dy = dout.memory();
    float keep = (float) (1 - rate);
    workers.split(
        dx.elements(),
        GRAIN,
        (worker, from, to) -> {
          for (long i = from; i < to; i++) {
            set(da, i, get(da, i) + (Dropout.isDropped(seed, i, rate) ? 0 : get(dy, i) / keep));
          }
        });
  }

  // ---- optimizer ----

  double sumOfSquares(Tensor x) {
    MemorySegment a = x.memory();
    long n = x.elements();
    Arrays.fill(partialSums, 0);
    long part = (n + PARTS - 1) / PARTS;
    workers.split(
        PARTS,
        Math.max(1, GRAIN / Math.max(1, part)),
        (worker, from, to) -> {
          for (long p = from; p < to; p++) {
            partialSums[(int) p] =
                sumOfSquares(a, Math.min(n, p * part), Math.min(n, (p + 1) * part));
          }
        });
    double sum = 0;
    for (double s : partialSums) {
      sum += s;
    }
    return sum;
  }

  private static double sumOfSquares(MemorySegment a, long from, long to) {
    long end = vectorEnd(from, to);
    DoubleVector low = DoubleVector.zero(D);
    DoubleVector high = DoubleVector.zero(D);
    long i = from;
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
    for (; i < to; i++) {
      double x = get(a, i);
      sum += x * x;
    }
    return sum;
  }
}
