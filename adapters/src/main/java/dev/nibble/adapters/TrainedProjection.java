package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/**
 * out = x W^T + bias, where everything trains.
 *
 * @param weight W, F32 [O, I]
 * @param bias F32 [O]
 */
public record TrainedProjection(Parameter weight, Optional<Parameter> bias) implements Projection {

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    kernels.products().linearForward(out, x, weight.weight());
    if (bias.isPresent()) {
      kernels.products().biasForward(out, bias.get().weight());
    }
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    backwardParameters(kernels, dout, x, mode);
    kernels.products().linearBackward(dx, dout, weight.weight(), 1);
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    if (bias.isPresent()) {
      kernels.products().biasBackward(bias.get().gradient(), dout);
    }
    kernels.products().linearBackwardWeight(weight.gradient(), dout, x, 1);
  }
}
