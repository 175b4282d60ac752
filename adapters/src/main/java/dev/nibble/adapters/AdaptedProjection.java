package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * A frozen map with an adapter that a pass can switch off, see {@link ForwardMode#adapters}.
 *
 * @param base what the map is without the adapter
 * @param adapted what it is with it
 */
public record AdaptedProjection(FrozenProjection base, Projection adapted) implements Projection {

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    in(mode).forward(kernels, out, x, mode);
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    in(mode).backward(kernels, dx, dout, x, mode);
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    in(mode).backwardParameters(kernels, dout, x, mode);
  }

  private Projection in(ForwardMode mode) {
    return mode.adapters() ? adapted : base;
  }
}
