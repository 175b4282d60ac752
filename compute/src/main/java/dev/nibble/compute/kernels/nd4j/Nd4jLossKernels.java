package dev.nibble.compute.kernels.nd4j;

import static dev.nibble.compute.kernels.nd4j.Nd4jArguments.require;

import dev.nibble.compute.kernels.LossKernels;
import dev.nibble.compute.tensor.Tensor;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Cross-entropy. */
final class Nd4jLossKernels implements LossKernels {
  @Override
  public void crossEntropyForward(Tensor loss, Tensor lse, Tensor logits, Tensor targets) {
    require(
        loss.elements() == logits.rows() && targets.elements() == logits.rows(),
        "crossEntropy",
        loss,
        logits,
        targets);
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray z = work.matrix(logits);
      INDArray max = work.keep(z.max(true, 1));
      INDArray shifted = work.keep(z.subColumnVector(max));
      INDArray sum = work.keep(Transforms.exp(shifted, false).sum(true, 1));
      INDArray logSum = Transforms.log(sum, false).addi(max);
      work.view(lse, logits.rows(), 1).assign(logSum);
      INDArray chosen =
          work.gather(
              work.view(logits, logits.elements(), 1), targetIndices(work, logits, targets));
      logSum.subi(chosen, work.view(loss, logits.rows(), 1));
    }
  }

  /** Where the targets' logits lie in the flat matrix. */
  private static INDArray targetIndices(Nd4jWork work, Tensor logits, Tensor targets) {
    long[] at = new long[Math.toIntExact(targets.elements())];
    for (int m = 0; m < at.length; m++) {
      at[m] = m * logits.cols() + Objects.checkIndex(targets.getLong(m), logits.cols());
    }
    return work.keep(Nd4j.createFromArray(at));
  }

  @Override
  public void crossEntropyBackward(
      Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, Tensor scales) {
    require(
        dlogits.elements() == logits.elements()
            && lse.elements() == logits.rows()
            && scales.elements() == logits.rows(),
        "crossEntropy",
        dlogits,
        lse,
        logits,
        targets,
        scales);
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray at = targetIndices(work, logits, targets);
      INDArray p = work.keep(work.matrix(logits).subColumnVector(work.view(lse, logits.rows(), 1)));
      work.matrix(dlogits).assign(Transforms.exp(p, false));
      INDArray minusOne = work.empty(targets.elements(), 1).assign(-1);
      work.scatterAdd(work.view(dlogits, dlogits.elements(), 1), at, minusOne);
      work.matrix(dlogits).muliColumnVector(work.view(scales, logits.rows(), 1));
    }
  }
}
