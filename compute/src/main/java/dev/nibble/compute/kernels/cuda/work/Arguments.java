package dev.nibble.compute.kernels.cuda.work;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.util.Arrays;

/**
 * Argument checks before a kernel gets bare addresses: a wrong shape or dtype would read or write
 * foreign memory.
 */
public final class Arguments {
  private Arguments() {}

  /** Checks that all have the same number of elements and one dtype, F32 or BF16. */
  public static void requireAlike(String operation, Tensor first, Tensor... others) {
    requireActivations(operation, first);
    for (Tensor t : others) {
      if (t.elements() != first.elements() || t.dtype() != first.dtype()) {
        throw new IllegalArgumentException(
            "%s: expected %s elements of %s as in %s, got %s"
                .formatted(operation, first.elements(), first.dtype(), first, t));
      }
    }
  }

  /** Checks that the dtype is F32 or BF16. */
  public static void requireActivations(String operation, Tensor t) {
    if (t.dtype() != DType.F32 && t.dtype() != DType.BF16) {
      throw new IllegalArgumentException(operation + ": expected F32 or BF16, got " + t);
    }
  }

  /** Checks that all have this dtype. */
  public static void requireType(String operation, DType dtype, Tensor... tensors) {
    for (Tensor t : tensors) {
      if (t.dtype() != dtype) {
        throw new IllegalArgumentException(
            "%s: expected %s, got %s".formatted(operation, dtype, t));
      }
    }
  }

  /** Checks a condition on shapes; the error names all tensors. */
  public static void require(boolean fits, String operation, String expected, Tensor... tensors) {
    if (!fits) {
      throw new IllegalArgumentException(
          "%s: expected %s, got %s".formatted(operation, expected, Arrays.toString(tensors)));
    }
  }
}
