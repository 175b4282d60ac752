package dev.nibble.compute.kernels.cuda.loss;

import dev.nibble.compute.kernels.LossKernels;
import dev.nibble.compute.kernels.cuda.work.Arguments;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;

/** Cross-entropy, a block of threads for each row of logits. */
public final class CudaLossKernels implements LossKernels {
  private static final int THREADS = 512;

  private final Launch launch;

  /** Kernels that launch on the set's stream. */
  public CudaLossKernels(Launch launch) {
    this.launch = launch;
  }

  @Override
  public void crossEntropyForward(Tensor loss, Tensor lse, Tensor logits, Tensor targets) {
    requireRows(lse, logits, targets);
    Arguments.requireType("crossEntropy", DType.F32, loss);
    Arguments.require(
        loss.elements() == lse.elements(), "crossEntropy", "loss and lse [M]", loss, lse);
    launch
        .kernel("cross_entropy_forward", logits.dtype())
        .tensor(loss)
        .tensor(lse)
        .tensor(logits)
        .tensor(targets)
        .i64(logits.cols())
        .blocks(logits.rows(), THREADS);
  }

  @Override
  public void crossEntropyBackward(
      Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, Tensor scales) {
    requireRows(lse, logits, targets);
    Arguments.requireAlike("crossEntropy", logits, dlogits);
    Arguments.requireType("crossEntropy", DType.F32, scales);
    Arguments.require(
        scales.elements() == lse.elements(), "crossEntropy", "lse and scales [M]", lse, scales);
    launch
        .kernel("cross_entropy_backward", logits.dtype())
        .tensor(dlogits)
        .tensor(lse)
        .tensor(logits)
        .tensor(targets)
        .tensor(scales)
        .i64(logits.cols())
        .blocks(logits.rows(), THREADS);
  }

  private static void requireRows(Tensor lse, Tensor logits, Tensor targets) {
    Arguments.requireActivations("crossEntropy", logits);
    Arguments.requireType("crossEntropy", DType.F32, lse);
    Arguments.requireType("crossEntropy", DType.I32, targets);
    Arguments.require(
        lse.elements() == logits.rows() && targets.elements() == logits.rows(),
        "crossEntropy",
        "logits [M, V], lse [M] and targets [M]",
        logits,
        lse,
        targets);
  }
}
