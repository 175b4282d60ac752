package dev.nibble.quant;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Weights and second moments of a linear map, always the same. */
public final class SampleLayer {
  private SampleLayer() {}

  /** A tensor of zeros. */
  public static Tensor tensor(String name, DType dtype, long... dims) {
    Shape shape = Shape.of(dims);
    byte[] bytes = new byte[Math.toIntExact(shape.elements() * dtype.bytes())];
    return Tensor.onHost(name, dtype, shape, MemorySegment.ofArray(bytes));
  }

  /** Weights with a deviation of 0.02. */
  public static Tensor weights(String name, int rows, int cols) {
    Random random = new Random(3);
    Tensor t = tensor(name, DType.BF16, rows, cols);
    for (int i = 0; i < rows * cols; i++) {
      t.setFloat(i, random.nextGaussian() * 0.02);
    }
    return t;
  }

  /** Of inputs that go together, some large and one always 0. */
  public static SecondMoments moments(int n) {
    Random random = new Random(4);
    Tensor sum = tensor("H", DType.F32, n, n);
    int tokens = 2 * n;
    double[] x = new double[n];
    for (int t = 0; t < tokens; t++) {
      double common = random.nextGaussian();
      for (int i = 0; i < n; i++) {
        x[i] = i == 7 ? 0 : (random.nextGaussian() + 2 * common) * (i % 11 == 3 ? 6 : 1);
      }
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          long at = (long) i * n + j;
          sum.setFloat(at, sum.getFloat(at) + x[i] * x[j]);
        }
      }
    }
    return new SecondMoments(sum, tokens);
  }

  /** tr(E H E^T). */
  public static double trace(FrozenMatrix made, Tensor in, Tensor h) {
    float[] back = decoded(made);
    int n = Math.toIntExact(made.cols());
    float[] moments = h.toFloats();
    double sum = 0;
    for (int r = 0; r < made.rows(); r++) {
      for (int i = 0; i < n; i++) {
        double e = back[r * n + i] - in.getFloat((long) r * n + i);
        for (int j = 0; j < n; j++) {
          sum += e * moments[i * n + j] * (back[r * n + j] - in.getFloat((long) r * n + j));
        }
      }
    }
    return sum;
  }

  /** All values, on the host. */
  public static float[] decoded(FrozenMatrix matrix) {
    return matrix.decoded();
  }
}
