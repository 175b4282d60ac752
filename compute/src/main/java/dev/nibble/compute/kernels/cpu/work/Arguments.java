package dev.nibble.compute.kernels.cpu.work;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.util.Arrays;

/**
 * Argument checks before native code gets bare addresses: a wrong shape would read or write foreign
 * memory. Loops over segments need none, since segments check every access, or once for a whole
 * {@link VectorMath#span}.
 */
public final class Arguments {
  private Arguments() {}

  /** The N of x [N, cols] and out [N, rows], however many leading dimensions N is made of. */
  public static long tokens(String operation, Tensor out, Tensor x, Tensor weight) {
    return tokens(operation, out, x, weight.rows(), weight.cols(), weight);
  }

  /** The N of x [N, cols] and out [N, rows]; {@code weight} is for the message. */
  public static long tokens(
      String operation, Tensor out, Tensor x, long rows, long cols, Object weight) {
    requireActivations(operation, out, x);
    long n = cols == 0 ? 0 : x.elements() / cols;
    if (n * cols != x.elements() || n * rows != out.elements()) {
      throw new IllegalArgumentException(
          "%s: %s and %s do not fit the weight %s; expected [N, %d] and [N, %d]"
              .formatted(operation, x, out, weight, cols, rows));
    }
    return n;
  }

  /** Checks that all have one dtype, F32 or BF16. */
  public static void requireActivations(String operation, Tensor... tensors) {
    DType dtype = tensors[0].dtype();
    for (Tensor t : tensors) {
      if (t.dtype() != dtype || (dtype != DType.F32 && dtype != DType.BF16)) {
        throw new IllegalArgumentException(
            "%s: expected F32, or BF16 for all activations, got %s"
                .formatted(operation, Arrays.toString(tensors)));
      }
    }
  }

  /** Checks that all are F32. */
  public static void requireF32(String operation, Tensor... tensors) {
    for (Tensor t : tensors) {
      if (t.dtype() != DType.F32) {
        throw new IllegalArgumentException(operation + ": expected F32, got " + t);
      }
    }
  }

  /** Checks the shapes of attention: q [N, H, D], k [M, K, D], lse and segments. */
  public static void requireHeads(
      String operation, Tensor q, Tensor k, Tensor lse, Tensor segments) {
    requireActivations(operation, q, k);
    requireF32(operation, lse);
    boolean fit =
        q.shape().rank() == 3
            && k.shape().rank() == 3
            && q.dim(2) == k.dim(2)
            && k.dim(1) > 0
            && q.dim(1) % k.dim(1) == 0
            && lse.elements() == q.dim(0) * q.dim(1)
            && segments.dtype() == DType.I32
            && segments.cols() == 4;
    if (!fit) {
      throw new IllegalArgumentException(
          "%s: expected q [N, H, D], k [M, K, D] with K dividing H, lse [N, H] and segments I32 [S, 4], got %s, %s, %s, %s"
              .formatted(operation, q, k, lse, segments));
    }
    for (long s = 0; s < segments.rows(); s++) {
      requireInside(operation, segments, s, 0, q);
      requireInside(operation, segments, s, 2, k);
    }
  }

  private static void requireInside(
      String operation, Tensor segments, long s, int column, Tensor rows) {
    long start = VectorMath.getInt(segments.memory(), 4 * s + column);
    long length = VectorMath.getInt(segments.memory(), 4 * s + column + 1);
    if (start < 0 || length < 0 || start + length > rows.dim(0)) {
      throw new IndexOutOfBoundsException(
          "%s: segment %d takes rows %d to %d of %s"
              .formatted(operation, s, start, start + length, rows));
    }
  }

  /** Checks that all have the shape and dtype of {@code expected}. */
  public static void requireSameShape(String operation, Tensor expected, Tensor... tensors) {
    for (Tensor t : tensors) {
      requireActivations(operation, expected, t);
      if (!t.shape().equals(expected.shape())) {
        throw new IllegalArgumentException(
            "%s: expected the shape of %s, got %s".formatted(operation, expected, t));
      }
    }
  }

  /** The row of {@code table} that element {@code n} of {@code rows} chooses. */
  public static long row(Tensor table, Tensor rows, long n) {
    int row = VectorMath.getInt(rows.memory(), n);
    if (row < 0 || row >= table.dim(0)) {
      throw new IndexOutOfBoundsException(
          "%s: element %d is %d, but %s has rows 0 to %d"
              .formatted(rows, n, row, table, table.dim(0) - 1));
    }
    return row;
  }
}
