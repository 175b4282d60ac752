package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.IntToDoubleFunction;

/** Values of host tensors in float64, as the reference kernels read, sum and store them. */
final class ReferenceValues {
  private ReferenceValues() {}

  static int size(Tensor t) {
    return Math.toIntExact(t.elements());
  }

  static int rows(Tensor t) {
    return Math.toIntExact(t.rows());
  }

  static int cols(Tensor t) {
    return Math.toIntExact(t.cols());
  }

  static double[] doubles(Tensor t) {
    double[] a = new double[size(t)];
    for (int i = 0; i < a.length; i++) {
      a[i] = t.getDouble(i);
    }
    return a;
  }

  static void store(Tensor t, IntToDoubleFunction value) {
    for (int i = 0; i < t.elements(); i++) {
      if (t.dtype().isFloating()) {
        t.setFloat(i, value.applyAsDouble(i));
      } else {
        t.setLong(i, Math.round(value.applyAsDouble(i)));
      }
    }
  }

  static void accumulate(Tensor t, IntToDoubleFunction value) {
    store(t, i -> t.getDouble(i) + value.applyAsDouble(i));
  }

  static void require(boolean fits, String what, Tensor... tensors) {
    if (!fits) {
      throw new IllegalArgumentException(what + ": " + Arrays.toString(tensors));
    }
  }

  static int index(Tensor indices, int i, long limit) {
    return Objects.checkIndex(indices.getInt(i), Math.toIntExact(limit));
  }

  static double sum(int n, IntToDoubleFunction term) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += term.applyAsDouble(i);
    }
    return sum;
  }
}
