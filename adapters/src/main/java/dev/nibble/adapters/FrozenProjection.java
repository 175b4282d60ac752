package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import java.util.Optional;

/**
 * out = x W^T + bias, where nothing trains.
 *
 * @param weight W [O, I]
 * @param bias F32, BF16 or F16 [O]
 */
public record FrozenProjection(FrozenMatrix weight, Optional<Tensor> bias) implements Projection {

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    kernels.products().frozenForward(out, x, weight);
    if (bias.isPresent()) {
      kernels.products().biasForward(out, bias.get());
    }
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    kernels.products().frozenBackward(dx, dout, weight);
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    // There are none.
  }
}
