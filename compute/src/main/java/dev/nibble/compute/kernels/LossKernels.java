package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;

/** Cross-entropy loss. See {@link Kernels} for conventions. */
public interface LossKernels {

  /**
   * loss[m] = lse[m] - logits[m, targets[m]], lse[m] = log sum_v exp(logits[m, v]).
   *
   * @param loss [M]
   * @param lse [M], kept for backward
   * @param logits [M, V]
   * @param targets I32 [M], each in [0, V)
   */
  void crossEntropyForward(Tensor loss, Tensor lse, Tensor logits, Tensor targets);

  /**
   * dlogits[m, v] = scales[m] * (exp(logits[m, v] - lse[m]) - (v == targets[m])). Overwrites;
   * dlogits may be logits.
   *
   * @param scales F32 [M], by which each row's gradient is multiplied
   */
  void crossEntropyBackward(
      Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, Tensor scales);
}
