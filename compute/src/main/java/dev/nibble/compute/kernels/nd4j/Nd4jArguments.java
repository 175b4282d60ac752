package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Argument checks where ND4J would broadcast, or read outside a table, without an error. */
final class Nd4jArguments {
  private Nd4jArguments() {}

  static void require(boolean fits, String kernel, Tensor... tensors) {
    if (!fits) {
      throw new IllegalArgumentException(
          kernel + ": shapes do not fit: " + Arrays.toString(tensors));
    }
  }

  /** Checks indices, and gives them as an array. */
  static INDArray indices(Nd4jWork work, Tensor indices, long limit) {
    for (long i = 0; i < indices.elements(); i++) {
      Objects.checkIndex(indices.getLong(i), limit);
    }
    return work.flat(indices);
  }
}
