package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** The loss, a row of logits at a time. */
final class CrossEntropyKernels {
  private final Workers workers;

  CrossEntropyKernels(Workers workers) {
    this.workers = workers;
  }

  void forward(Tensor loss, Tensor lse, Tensor logits, Tensor targets) {
    MemorySegment x = logits.memory();
    long vocabulary = logits.cols();
    workers.split(
        logits.rows(),
        1,
        (worker, from, to) -> {
          for (long m = from; m < to; m++) {
            long row = m * vocabulary;
            float max = VectorMath.max(x, row, vocabulary);
            double sum = VectorMath.sumOfExp(x, row, vocabulary, max);
            double logSum = max + Math.log(sum);
            int target = target(targets, m, vocabulary);
            VectorMath.set(lse.memory(), m, (float) logSum);
            VectorMath.set(loss.memory(), m, (float) (logSum - VectorMath.get(x, row + target)));
          }
        });
  }

  void backward(Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, float scale) {
    MemorySegment x = logits.memory();
    MemorySegment dx = dlogits.memory();
    long vocabulary = logits.cols();
    workers.split(
        logits.rows(),
        1,
        (worker, from, to) -> {
          for (long m = from; m < to; m++) {
            int target = target(targets, m, vocabulary);
            float logSum = VectorMath.get(lse.memory(), m);
            long last = (m + 1) * vocabulary;
            long i = m * vocabulary;
            long end = VectorMath.vectorEnd(i, last);
            for (; i < end; i += LANES) {
              VectorMath.store(VectorMath.exp(VectorMath.load(x, i).sub(logSum)).mul(scale), dx, i);
            }
            for (; i < last; i++) {
              VectorMath.set(dx, i, VectorMath.exp(VectorMath.get(x, i) - logSum) * scale);
            }
            long at = m * vocabulary + target;
            VectorMath.set(dx, at, VectorMath.get(dx, at) - scale);
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
