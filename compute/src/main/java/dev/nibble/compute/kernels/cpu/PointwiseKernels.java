package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.VectorMath.vectorEnd;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** What works on each element alone. */
final class PointwiseKernels {
  /**
   * Parts of a sum over all elements; a fixed number, so that the bits do not depend on the
   * threads.
   */
  private static final int PARTS = 64;

  /** Elements that are summed at once. */
  private static final long SQUARES = 1 << 13;

  private static final VectorSpecies<Double> D = F.withLanes(double.class);

  private final Stretches stretches;
  private final double[] partialSums = new double[PARTS];

  PointwiseKernels(Stretches stretches) {
    this.stretches = stretches;
  }

  void add(Tensor out, Tensor a, Tensor b) {
    stretches.each(
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

  void scale(Tensor x, double factor) {
    stretches.each(
        x.elements(),
        (f, from, n) -> {
          MemorySegment a = f.read(x, from, n);
          VectorMath.scale(a, 0, n, (float) factor);
          f.store(a, x, from);
        });
  }

  // ---- optimizer ----

  double sumOfSquares(Tensor x) {
    long n = x.elements();
    Arrays.fill(partialSums, 0);
    long part = (n + PARTS - 1) / PARTS;
    stretches.rows(
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
    double sum = 0;
    for (double s : partialSums) {
      sum += s;
    }
    return sum;
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
}
