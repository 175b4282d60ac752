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
    Tensor input = update.dropped(kernels, x, pass);
    if (update.drops(pass)) {
      Tensor dinput = update.scratch().ddropped().prefix(x.rows(), x.cols());
      kernels.fill(dinput, 0);
      update.backward(kernels, dinput, dout, input);
      update.undrop(kernels, dx, dinput, pass);
    } else {
      update.backward(kernels, dx, dout, input);
    }
  }
}
