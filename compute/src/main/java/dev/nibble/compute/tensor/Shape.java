package dev.nibble.compute.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Sizes of a contiguous, row-major tensor, outermost first. A scalar has rank 0 and one element.
 */
public final class Shape {
  private final long[] dims;
  private final long elements;

  private Shape(long[] dims) {
    long n = 1;
    for (long d : dims) {
      if (d < 0) {
        throw new IllegalArgumentException("negative size in shape " + Arrays.toString(dims));
      }
      n = Math.multiplyExact(n, d);
    }
    this.dims = dims;
    this.elements = n;
  }

  /**
   * A shape of these sizes.
   *
   * @throws IllegalArgumentException when a size is negative
   * @throws ArithmeticException when the number of elements exceeds 2^63-1
   */
  public static Shape of(long... dims) {
    return new Shape(dims.clone());
  }

  /** Number of dimensions. */
  public int rank() {
    return dims.length;
  }

  /** Size of dimension {@code i}; negative {@code i} counts from the last. */
  public long dim(int i) {
    return dims[i < 0 ? dims.length + i : i];
  }

  /** Product of all sizes. */
  public long elements() {
    return elements;
  }

  /** The sizes, a copy. */
  public long[] dims() {
    return dims.clone();
  }

  /** This shape with dimension 0 replaced. */
  public Shape withDim0(long size) {
    long[] d = dims.clone();
    d[0] = size;
    return new Shape(d);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Shape s && Arrays.equals(dims, s.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** For example {@code [2, 64]}. */
  @Override
  public String toString() {
    return Arrays.stream(dims).mapToObj(Long::toString).collect(Collectors.joining(", ", "[", "]"));
  }
}
