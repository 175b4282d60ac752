package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * A frozen map with a low-rank update that trains (LoRA, arXiv:2106.09685): out = x W^T + bias + s
 * (d(x) A^T B^T + b), with d dropout.
 */
final class LoraProjection implements Projection {
  private final FrozenProjection base;
  private final LowRankUpdate update;
  private final InputDropout dropout;

  LoraProjection(FrozenProjection base, LowRankUpdate update, InputDropout dropout) {
    this.base = base;
    this.update = update;
    this.dropout = dropout;
  }

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    base.forward(kernels, out, x, mode);
    update.forward(kernels, out, dropout.forward(kernels, x, mode));
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    base.backward(kernels, dx, dout, x, mode);
    Tensor dlow = update.backwardParameters(kernels, dout, dropout.forward(kernels, x, mode));
    if (dropout.drops(mode)) {
      Tensor ddropped = dropout.zeroGradient(kernels, x);
      update.backwardInput(kernels, ddropped, dlow);
      dropout.backward(kernels, dx, ddropped, mode);
    } else {
      update.backwardInput(kernels, dx, dlow);
    }
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    update.backwardParameters(kernels, dout, dropout.forward(kernels, x, mode));
  }
}
