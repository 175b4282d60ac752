package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * A frozen map with a low-rank update that trains (LoRA, arXiv:2106.09685): out = x W^T + bias + s
 * (d(x) A^T B^T + b).
 */
final class LoraProjection implements Projection {
  private final FrozenProjection base;
  private final LowRank update;

  LoraProjection(FrozenProjection base, LowRank update) {
    this.base = base;
    this.update = update;
  }

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    base.forward(kernels, out, x, mode);
    update.forward(kernels, out, update.dropped(kernels, x, mode));
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    base.backward(kernels, dx, dout, x, mode);
    Tensor dlow = update.backwardParameters(kernels, dout, update.dropped(kernels, x, mode));
    if (update.drops(mode)) {
      Tensor dinput = update.scratch().ddropped().prefix(x.rows(), x.cols());
      kernels.moving().fill(dinput, 0);
      update.backwardInput(kernels, dinput, dlow);
      update.undrop(kernels, dx, dinput, mode);
    } else {
      update.backwardInput(kernels, dx, dlow);
    }
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    update.backwardParameters(kernels, dout, update.dropped(kernels, x, mode));
  }
}
