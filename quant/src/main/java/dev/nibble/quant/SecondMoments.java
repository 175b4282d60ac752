package dev.nibble.quant;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;

/**
 * What calibration knows of the inputs x of a linear map: H = sum over tokens of x x^T. An error E
 * of the weights changes the map's outputs by tr(E H E^T) in squares, summed over these tokens.
 *
 * @param sum F32 [I, I], symmetric, on the host
 * @param tokens how many inputs were summed up
 */
public record SecondMoments(Tensor sum, long tokens) {

  /** Checks dtype and shape. */
  public SecondMoments {
    boolean square = sum.shape().rank() == 2 && sum.dim(0) == sum.dim(1);
    if (sum.dtype() != DType.F32 || !square || !(sum.device() instanceof Device.Host)) {
      throw new IllegalArgumentException(sum + ": expected F32 [I, I] on the host");
    }
  }

  /** Checks that they are of a matrix's inputs. */
  public void requireInputsOf(FrozenMatrix matrix) {
    if (sum.dim(0) != matrix.cols()) {
      throw new IllegalArgumentException(
          "%s has %d inputs, and second moments are of %d"
              .formatted(matrix, matrix.cols(), sum.dim(0)));
    }
  }
}
