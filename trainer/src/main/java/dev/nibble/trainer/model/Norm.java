package dev.nibble.trainer.model;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/**
 * RMSNorm (arXiv:1910.07467).
 *
 * @param weight F32 [C]
 * @param gradient F32 [C], when the weight trains
 */
record Norm(Tensor weight, Optional<Tensor> gradient, double epsilon) {

  /** out [N, C] = x * rstd * weight; rstd [N] is kept. */
  void forward(Kernels kernels, Tensor out, Tensor rstd, Tensor x) {
    kernels.rmsNormForward(out, rstd, x, weight, 0, epsilon);
  }

  /** Adds to dx [N, C], and to the weight's gradient. */
  void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, Tensor rstd) {
    kernels.rmsNormBackward(dx, dout, x, rstd, weight, 0);
    if (gradient.isPresent()) {
      kernels.rmsNormBackwardWeight(gradient.get(), dout, x, rstd);
    }
  }
}
