package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** The loss, a row of logits at a time, in stretches: each logit is read once. */
final class CrossEntropyKernels {
  private final Stretches stretches;

  CrossEntropyKernels(Stretches stretches) {
    this.stretches = stretches;
  }

  void forward(Tensor loss, Tensor lse, Tensor logits, Tensor targets) {
    long vocabulary = logits.cols();
    stretches.rows(
        logits.rows(),
        vocabulary,
        (f, m) -> {
          int target = target(targets, m, vocabulary);
          float logit = 0;
          float max = Float.NEGATIVE_INFINITY;
          double sum = 0;
          for (long from = 0; from < vocabulary; from += Stretches.LENGTH) {
            long n = Math.min(Stretches.LENGTH, vocabulary - from);
            f.release(0);
            MemorySegment x = f.read(logits, m * vocabulary + from, n);
            float now = Math.max(max, VectorMath.max(x, 0, n));
            // Where all are -infinity, any shift will do.
            float shift = now == Float.NEGATIVE_INFINITY ? 0 : now;
            sum *= Math.exp(max - shift);
            sum += VectorMath.exp(x, 0, f.room(n), 0, n, 1, shift);
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

  void backward(Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, float scale) {
    long vocabulary = logits.cols();
    stretches.rows(
        logits.rows(),
        vocabulary,
        (f, m) -> {
          int target = target(targets, m, vocabulary);
          float logSum = VectorMath.get(lse.memory(), m);
          for (long from = 0; from < vocabulary; from += Stretches.LENGTH) {
            long n = Math.min(Stretches.LENGTH, vocabulary - from);
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
