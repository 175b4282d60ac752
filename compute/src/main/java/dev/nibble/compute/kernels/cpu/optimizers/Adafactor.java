package dev.nibble.compute.kernels.cpu.optimizers;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.store;

import dev.nibble.compute.kernels.OptimizerKernels.AdafactorStep;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.Workers;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** The Adafactor update of one matrix. */
final class Adafactor {
  private static final long GRAIN = 4096;

  /** Parts of a sum; a fixed number, so that the bits do not depend on the threads. */
  private static final int PARTS = 64;

  private final Workers workers;
  private final double[] partialSums = new double[PARTS];

  Adafactor(Workers workers) {
    this.workers = workers;
  }

  void step(Tensor weight, Tensor rows, Tensor columns, Tensor gradient, AdafactorStep step) {
    long r = weight.rows();
    long c = weight.cols();
    if (r == 0 || c == 0) {
      return;
    }
    MemorySegment g = gradient.memory();
    MemorySegment rowMoments = rows.memory();
    MemorySegment columnMoments = columns.memory();
    rowMoments(rowMoments, g, r, c, step);
    columnMoments(columnMoments, g, r, c, step);
    double mean = 0;
    for (long i = 0; i < r; i++) {
      mean += get(rowMoments, i);
    }
    Update u = new Update(g, rowMoments, columnMoments, c, mean / r);
    double rms = Math.sqrt(squares(u, r * c) / ((double) r * c));
    float size = (float) (step.learningRate() / Math.max(1, rms / step.clip()));
    float decay = (float) (1 - step.learningRate() * step.weightDecay());
    MemorySegment w = weight.memory();
    workers.split(r * c, GRAIN, (worker, from, to) -> u.apply(w, from, to, size, decay));
  }

  private void rowMoments(MemorySegment out, MemorySegment g, long r, long c, AdafactorStep s) {
    float b2 = (float) s.beta2();
    workers.split(
        r,
        Math.max(1, GRAIN / c),
        (worker, from, to) -> {
          for (long i = from; i < to; i++) {
            double mean = VectorMath.dot(g, i * c, g, i * c, c) / c + s.epsilon();
            set(out, i, b2 * get(out, i) + (float) ((1 - s.beta2()) * mean));
          }
        });
  }

  private void columnMoments(MemorySegment out, MemorySegment g, long r, long c, AdafactorStep s) {
    float b2 = (float) s.beta2();
    workers.split(
        Math.ceilDiv(c, LANES),
        Math.max(1, GRAIN / (r * LANES)),
        (worker, from, to) -> {
          for (long block = from; block < to; block++) {
            long j = block * LANES;
            if (j + LANES <= c) {
              FloatVector sum = FloatVector.zero(F);
              for (long i = 0; i < r; i++) {
                FloatVector x = load(g, i * c + j);
                sum = x.fma(x, sum);
              }
              FloatVector mean = sum.div((float) r).add((float) s.epsilon());
              store(load(out, j).mul(b2).add(mean.mul((float) (1 - s.beta2()))), out, j);
              continue;
            }
            for (; j < c; j++) {
              double sum = 0;
              for (long i = 0; i < r; i++) {
                double x = get(g, i * c + j);
                sum += x * x;
              }
              double mean = sum / r + s.epsilon();
              set(out, j, b2 * get(out, j) + (float) ((1 - s.beta2()) * mean));
            }
          }
        });
  }

  private double squares(Update u, long n) {
    Arrays.fill(partialSums, 0);
    long part = Math.ceilDiv(n, PARTS);
    workers.split(
        PARTS,
        Math.max(1, GRAIN / part),
        (worker, from, to) -> {
          for (long p = from; p < to; p++) {
            partialSums[(int) p] = u.squares(Math.min(n, p * part), Math.min(n, (p + 1) * part));
          }
        });
    double sum = 0;
    for (double s : partialSums) {
      sum += s;
    }
    return sum;
  }

  /** u[i, j] = g[i, j] / sqrt(rows[i] / mean) / sqrt(columns[j]). */
  private record Update(
      MemorySegment g, MemorySegment rows, MemorySegment columns, long c, double mean) {

    /** The row factor 1 / sqrt(rows[i] / mean). */
    private float row(long i) {
      return (float) (1 / Math.sqrt(get(rows, i) / mean));
    }

    double squares(long from, long to) {
      double sum = 0;
      for (long start = from; start < to; ) {
        long row = start / c;
        long end = Math.min(to, (row + 1) * c);
        float factor = row(row);
        for (long i = start; i < end; i++) {
          double u = at(i, row, factor);
          sum += u * u;
        }
        start = end;
      }
      return sum;
    }

    void apply(MemorySegment w, long from, long to, float size, float decay) {
      for (long start = from; start < to; ) {
        long row = start / c;
        long end = Math.min(to, (row + 1) * c);
        float factor = row(row);
        long i = start;
        for (; i <= end - LANES; i += LANES) {
          FloatVector u = load(g, i).mul(factor).div(load(columns, i - row * c).sqrt());
          store(load(w, i).mul(decay).sub(u.mul(size)), w, i);
        }
        for (; i < end; i++) {
          set(w, i, get(w, i) * decay - at(i, row, factor) * size);
        }
        start = end;
      }
    }

    private float at(long i, long row, float factor) {
      return get(g, i) * factor / (float) Math.sqrt(get(columns, i - row * c));
    }
  }
}
