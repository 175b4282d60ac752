package dev.nibble.trainer.model.layers;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/**
 * RMSNorm (arXiv:1910.07467).
 *
 * @param weight F32 [C], as stored
 * @param gradient F32 [C], when the weight trains
 * @param offset what is added to the stored weight: 1 in Gemma, else 0
 */
public record Norm(Tensor weight, Optional<Tensor> gradient, double epsilon, double offset) {

  /** A norm whose weight is used as stored. */
  public Norm(Tensor weight, Optional<Tensor> gradient, double epsilon) {
    this(weight, gradient, epsilon, 0);
  }

  /** The same, adding this to the stored weight. */
  public Norm withOffset(double newOffset) {
    return new Norm(weight, gradient, epsilon, newOffset);
  }

  /** out [N, C] = x * rstd * (offset + weight); rstd [N] is kept. */
  void forward(Kernels kernels, Tensor out, Tensor rstd, Tensor x) {
    kernels.norms().rmsNormForward(out, rstd, x, weight, offset, epsilon);
  }

  /** Adds to dx [N, C], and to the weight's gradient. */
  void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, Tensor rstd) {
    kernels.norms().rmsNormBackward(dx, dout, x, rstd, weight, offset);
    if (gradient.isPresent()) {
      kernels.norms().rmsNormBackwardWeight(gradient.get(), dout, x, rstd);
    }
  }
}
