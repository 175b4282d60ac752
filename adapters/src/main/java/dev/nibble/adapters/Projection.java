package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * A linear map with what trains in it. The only thing that differs between full training, LoRA and
 * QLoRA inside a layer.
 *
 * <p>Letters: N tokens, I inputs, O outputs, r rank.
 */
public sealed interface Projection
    permits FrozenProjection, AdaptedProjection, LoraProjection, DoraProjection, TrainedProjection {

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
