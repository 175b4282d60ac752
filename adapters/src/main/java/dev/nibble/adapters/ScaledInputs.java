package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * A frozen map of scaled inputs (IA3, arXiv:2205.05638): out = (l * x) W^T + bias.
 *
 * @param l [1, I]
 * @param scratch for [N, I]
 */
record ScaledInputs(FrozenProjection base, Parameter l, Tensor scratch) implements Projection {

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    Tensor scaled = scratch.prefix(x.rows(), x.cols());
    kernels.pointwise().scaleColumns(scaled, x, vector(l.weight()));
    base.forward(kernels, out, scaled, mode);
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    Tensor dscaled = backwardScales(kernels, dout, x, mode);
    kernels.pointwise().scaleColumns(dscaled, dscaled, vector(l.weight()));
    kernels.pointwise().add(dx, dx, dscaled);
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    backwardScales(kernels, dout, x, mode);
  }

  /** Adds to the gradient of l; gives that of l * x [N, I], in scratch. */
  private Tensor backwardScales(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    Tensor dscaled = scratch.prefix(x.rows(), x.cols());
    kernels.moving().fill(dscaled, 0);
    base.backward(kernels, dscaled, dout, x, mode);
    kernels.pointwise().columnDots(vector(l.gradient()), dscaled, x);
    return dscaled;
  }

  private static Tensor vector(Tensor t) {
    return t.reshape(t.elements());
  }
}
