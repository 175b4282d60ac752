package dev.nibble.adapters;

import dev.nibble.compute.kernels.FrozenProducts;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import java.util.Optional;

/**
 * out = x W^T + bias, where nothing trains.
 *
 * @param weight W [O, I]
 * @param bias F32, BF16 or F16 [O]
 * @param products with the scratch that the weight needs
 */
public record FrozenProjection(FrozenMatrix weight, Optional<Tensor> bias, FrozenProducts products)
    implements Projection {

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    product(kernels, out, x);
    if (bias.isPresent()) {
      kernels.products().biasForward(out, bias.get());
    }
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    backward(kernels, dx, dout);
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    // There are none.
  }

  /** out = x W^T. */
  void product(Kernels kernels, Tensor out, Tensor x) {
    products.forward(kernels, out, x, weight);
  }

  /** dx += dout W. */
  void backward(Kernels kernels, Tensor dx, Tensor dout) {
    products.backward(kernels, dx, dout, weight);
  }
}
