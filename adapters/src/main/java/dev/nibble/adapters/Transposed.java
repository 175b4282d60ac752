package dev.nibble.adapters;

import dev.nibble.compute.tensor.Tensor;

/** Values of small matrices with rows and columns exchanged. */
final class Transposed {
  private Transposed() {}

  /** The values [cols, rows] of a matrix [rows, cols] on the host. */
  static float[] of(Tensor matrix) {
    int rows = Math.toIntExact(matrix.rows());
    int cols = Math.toIntExact(matrix.cols());
    float[] values = new float[Math.toIntExact(matrix.elements())];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        values[j * rows + i] = matrix.getFloat((long) i * cols + j);
      }
    }
    return values;
  }
}
