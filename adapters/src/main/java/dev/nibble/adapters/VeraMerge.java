package dev.nibble.adapters;

import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;

/** The merge of one module's VeRA vectors: W + (b * B) (d * A). */
final class VeraMerge {
  private VeraMerge() {}

  static TensorMerge of(AdapterTensors module) {
    if (!module.has(VeraSpec.A) || !module.has(VeraSpec.B)) {
      throw new AdapterException(
          "the file does not hold %s and %s. Save the adapter with them: with PEFT by save_projection=True; Nibble does so when it continues the adapter"
              .formatted(VeraSpec.A, VeraSpec.B));
    }
    Tensor a = module.get(VeraSpec.A);
    Tensor b = module.get(VeraSpec.B);
    Tensor lambdaB = module.get(VeraSpec.LAMBDA_B);
    Tensor lambdaD = module.get(VeraSpec.LAMBDA_D);
    String name = module.module() + ".weight";
    return new TensorMerge(
        name,
        (weight, kernels, scratch) -> {
          TensorMerge.require(name, weight, 0, lambdaB.elements());
          int outputs = Math.toIntExact(weight.rows());
          int inputs = Math.toIntExact(weight.cols());
          int rank = Math.toIntExact(lambdaD.elements());
          Tensor scaledB = scratch.allocate("b B", DType.F32, outputs, rank);
          Tensor scaledA = scratch.allocate("d A", DType.F32, rank, inputs);
          TensorValues.put(kernels, scaledB, scaledRows(b, lambdaB, outputs, rank));
          TensorValues.put(kernels, scaledA, scaledRows(a, lambdaD, rank, inputs));
          kernels.products().linearBackward(weight, scaledB, scaledA, 1);
        });
  }

  /** The first rows and columns of a matrix, each row times its factor. */
  private static float[] scaledRows(Tensor matrix, Tensor factors, int rows, int cols) {
    float[] values = new float[rows * cols];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        values[i * cols + j] = factors.getFloat(i) * matrix.getFloat(i * matrix.cols() + j);
      }
    }
    return values;
  }
}
