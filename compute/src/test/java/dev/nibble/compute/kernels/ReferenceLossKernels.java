package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.ReferenceValues.cols;
import static dev.nibble.compute.kernels.ReferenceValues.index;
import static dev.nibble.compute.kernels.ReferenceValues.rows;
import static dev.nibble.compute.kernels.ReferenceValues.store;
import static dev.nibble.compute.kernels.ReferenceValues.sum;

import dev.nibble.compute.tensor.Tensor;

/** The specification of {@link LossKernels}, see {@link ReferenceKernels}. */
class ReferenceLossKernels implements LossKernels {

  @Override
  public void crossEntropyForward(Tensor loss, Tensor lse, Tensor logits, Tensor targets) {
    int v = cols(logits);
    for (int m = 0; m < rows(logits); m++) {
      int row = m * v;
      double max = Double.NEGATIVE_INFINITY;
      for (int j = 0; j < v; j++) {
        max = Math.max(max, logits.getDouble(row + j));
      }
      double shift = max;
      double sum = max + Math.log(sum(v, j -> Math.exp(logits.getDouble(row + j) - shift)));
      lse.setFloat(m, sum);
      loss.setFloat(m, sum - logits.getDouble(row + index(targets, m, v)));
    }
  }

  @Override
  public void crossEntropyBackward(
      Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, Tensor scales) {
    int v = cols(logits);
    store(
        dlogits,
        i -> {
          double p = Math.exp(logits.getDouble(i) - lse.getDouble(i / v));
          return scales.getDouble(i / v) * (p - (index(targets, i / v, v) == i % v ? 1 : 0));
        });
  }
}
