package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.FrozenWeight;
import java.util.Optional;

/**
 * out = x W^T + bias, where nothing trains.
 *
 * @param weight W [O, I], dense or in 4 bits
 * @param bias F32, BF16 or F16 [O]
 */
public record FrozenProjection(FrozenWeight weight, Optional<Tensor> bias) implements Projection {

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    weight.forward(kernels, out, x);
    if (bias.isPresent()) {
      kernels.products().biasForward(out, bias.get());
    }
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    weight.backward(kernels, dx, dout);
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    // There are none.
  }
}
