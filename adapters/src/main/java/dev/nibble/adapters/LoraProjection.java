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
  public void forward(Kernels kernels, Tensor out, Tensor x, Pass pass) {
    base.forward(kernels, out, x, pass);
    update.forward(kernels, out, update.dropped(kernels, x, pass));
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, Pass pass) {
    base.backward(kernels, dx, dout, x, pass);
    Tensor dlow = update.backwardParameters(kernels, dout, update.dropped(kernels, x, pass));
    if (update.drops(pass)) {
      Tensor dinput = update.scratch().ddropped().prefix(x.rows(), x.cols());
      kernels.fill(dinput, 0);
      update.backwardInput(kernels, dinput, dlow);
      update.undrop(kernels, dx, dinput, pass);
    } else {
      update.backwardInput(kernels, dx, dlow);
    }
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, Pass pass) {
    update.backwardParameters(kernels, dout, update.dropped(kernels, x, pass));
  }
}
