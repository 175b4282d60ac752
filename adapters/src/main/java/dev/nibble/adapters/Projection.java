package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * A linear map with what trains in it. The only thing that differs inside a layer between training
 * every weight and training an adapter of any method.
 *
 * <p>Letters: N tokens, I inputs, O outputs, r rank.
 */
public interface Projection {

  /**
   * out = x W^T + bias, and what an adapter adds.
   *
   * @param out F32 [N, O], overwritten
   * @param x F32 [N, I]
   */
  void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode);

  /**
   * Adds the gradient of x to dx, and those of what trains to their parameters.
   *
   * @param dx F32 [N, I]
   * @param dout F32 [N, O]
   * @param x F32 [N, I], as it was in forward
   * @param mode the forward's
   */
  void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode);

  /**
   * Adds the gradients of what trains to their parameters, for an x that needs none itself.
   *
   * @param dout F32 [N, O]
   * @param x F32 [N, I], as it was in forward
   * @param mode the forward's
   */
  void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode);
}
