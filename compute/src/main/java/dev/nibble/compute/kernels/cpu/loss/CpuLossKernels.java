package dev.nibble.compute.kernels.cpu.loss;

import dev.nibble.compute.kernels.LossKernels;
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** Cross-entropy, one row of logits at a time, in chunks: each logit is read once. */
public final class CpuLossKernels implements LossKernels {
  private final ParallelLoops loops;

  /** Kernels on the workers of these loops. */
  public CpuLossKernels(ParallelLoops loops) {
    this.loops = loops;
  }

  @Override
  public void crossEntropyForward(Tensor loss, Tensor lse, Tensor logits, Tensor targets) {
    long vocabulary = logits.cols();
    loops.rows(
        logits.rows(),
        vocabulary,
        (f, m) -> {
          int target = target(targets, m, vocabulary);
          float logit = 0;
          float max = Float.NEGATIVE_INFINITY;
          double sum = 0;
          for (long from = 0; from < vocabulary; from += ParallelLoops.CHUNK) {
            long n = Math.min(ParallelLoops.CHUNK, vocabulary - from);
            f.release(0);
            MemorySegment x = f.read(logits, m * vocabulary + from, n);
            float now = Math.max(max, VectorMath.max(x, 0, n));
            // Where all are -infinity, any shift will do.
            float shift = now == Float.NEGATIVE_INFINITY ? 0 : now;
            sum *= Math.exp(max - shift);
            sum += VectorMath.exp(x, 0, f.allocate(n), 0, n, 1, shift);
            max = now;
            if (from <= target && target < from + n) {
              logit = VectorMath.get(x, target - from);
            }
          }
          double logSum = max + Math.log(sum);
          VectorMath.set(lse.memory(), m, (float) logSum);
          VectorMath.set(loss.memory(), m, (float) (logSum - logit));
        });
  }

  @Override
  public void crossEntropyBackward(
      Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, Tensor scales) {
    long vocabulary = logits.cols();
    loops.rows(
        logits.rows(),
        vocabulary,
        (f, m) -> {
          int target = target(targets, m, vocabulary);
          float logSum = VectorMath.get(lse.memory(), m);
          float scale = VectorMath.get(scales.memory(), m);
          for (long from = 0; from < vocabulary; from += ParallelLoops.CHUNK) {
            long n = Math.min(ParallelLoops.CHUNK, vocabulary - from);
            f.release(0);
            MemorySegment x = f.read(logits, m * vocabulary + from, n);
            MemorySegment dx = f.write(dlogits, m * vocabulary + from, n);
            VectorMath.exp(x, 0, dx, 0, n, 1, logSum);
            VectorMath.scale(dx, 0, n, scale);
            if (from <= target && target < from + n) {
              long at = target - from;
              VectorMath.set(dx, at, VectorMath.get(dx, at) - scale);
            }
            f.store(dx, dlogits, m * vocabulary + from);
          }
        });
  }

  private static int target(Tensor targets, long m, long vocabulary) {
    int target = VectorMath.getInt(targets.memory(), m);
    if (target < 0 || target >= vocabulary) {
      throw new IndexOutOfBoundsException(
          "%s: row %d is %d, expected 0 to %d".formatted(targets, m, target, vocabulary - 1));
    }
    return target;
  }
}
