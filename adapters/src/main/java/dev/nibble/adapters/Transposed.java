package dev.nibble.adapters;

/** Values of small matrices with rows and columns exchanged. */
final class Transposed {
  private Transposed() {}

  /** The values [cols, rows] of a matrix [rows, cols]. */
  static float[] of(float[] matrix, long rows, long cols) {
    int height = Math.toIntExact(rows);
    int width = Math.toIntExact(cols);
    float[] values = new float[matrix.length];
    for (int i = 0; i < height; i++) {
      for (int j = 0; j < width; j++) {
        values[j * height + i] = matrix[i * width + j];
      }
    }
    return values;
  }
}
