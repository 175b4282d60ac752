package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * A frozen map whose outputs are scaled (IA3, arXiv:2205.05638): out = l * (x W^T + bias).
 *
 * @param l [O, 1]
 * @param scratch for [N, O]
 */
record ScaledOutputs(FrozenProjection base, Parameter l, Tensor scratch) implements Projection {

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    base.forward(kernels, out, x, mode);
    kernels.pointwise().scaleColumns(out, out, vector(l.weight()));
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    backwardParameters(kernels, dout, x, mode);
    Tensor dunscaled = scratch.prefix(dout.rows(), dout.cols());
    kernels.pointwise().scaleColumns(dunscaled, dout, vector(l.weight()));
    base.backward(kernels, dx, dunscaled, x, mode);
  }

  /** Makes the outputs before their scales again, which is cheaper than keeping them. */
  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    Tensor unscaled = scratch.prefix(dout.rows(), dout.cols());
    base.forward(kernels, unscaled, x, mode);
    kernels.pointwise().columnDots(vector(l.gradient()), dout, unscaled);
  }

  private static Tensor vector(Tensor t) {
    return t.reshape(t.elements());
  }
}
