package dev.nibble.quant;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;

/** A format whose values are fitted to the inputs that a linear map sees, besides its weights. */
public interface CalibratedFormat extends WeightFormat {

  /**
   * Brings values to the form of a matrix of this format.
   *
   * @param in F32, BF16 or F16 of as many finite elements, in the kernels' memory
   * @param moments of the matrix's inputs
   * @throws UnusableWeight when the moments are not finite, or of too few tokens to be used
   */
  void encode(Kernels kernels, FrozenMatrix out, Tensor in, SecondMoments moments);

  /**
   * Refused, for want of moments.
   *
   * @throws UnusableWeight unless memory is only planned
   */
  @Override
  default void encode(Kernels kernels, FrozenMatrix out, Tensor in) {
    if (!kernels.memory().isPlanned()) {
      throw new UnusableWeight(
          "tensor '%s': %s is fitted to calibration data and cannot be made while loading; quantise the model first and train on the folder that this writes"
              .formatted(in.name(), describe()));
    }
  }
}
