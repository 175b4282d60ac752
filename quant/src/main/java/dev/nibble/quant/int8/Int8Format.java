package dev.nibble.quant.int8;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.weights.Affine;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import java.math.BigInteger;

/**
 * 8-bit integers with a float32 scale and an 8-bit zero point for each group of consecutive inputs,
 * see {@link Affine}: 8.3125 bits a weight in groups of 128.
 *
 * @param groupSize inputs that share a scale; divides the inputs of every linear map
 */
public record Int8Format(int groupSize) implements WeightFormat {
  /** The group size that most checkpoints have. */
  public static final int DEFAULT_GROUP_SIZE = 128;

  private static final String GROUP = "weights/";

  /** Checks the group size. */
  public Int8Format {
    if (groupSize < 1) {
      throw new IllegalArgumentException("groups of %d weights".formatted(groupSize));
    }
  }

  @Override
  public String name() {
    return "int8";
  }

  /** For example {@code INT8, groups of 128}. */
  @Override
  public String describe() {
    return "INT8, groups of " + groupSize;
  }

  @Override
  public double bitsPerWeight() {
    return Byte.SIZE + (double) (Float.SIZE + Byte.SIZE) / groupSize;
  }

  @Override
  public Allocator allocator(Kernels kernels, Scope scope) {
    return (name, rows, cols) -> {
      if (cols % groupSize != 0) {
        throw new UnusableWeight(
            "tensor '%s' has %d inputs, which groups of %d do not divide; take a group size that divides the inputs of every linear layer, such as %d for this one"
                .formatted(name, cols, groupSize, commonDivisor(cols, groupSize)));
      }
      long groups = cols / groupSize;
      return Affine.ofInt8(
          scope.allocate(GROUP + name, DType.I8, rows, cols),
          scope.allocate(GROUP + name + "_scale", DType.F32, rows, groups),
          scope.allocate(GROUP + name + "_zero_point", DType.I8, rows, groups));
    };
  }

  private static long commonDivisor(long a, long b) {
    return BigInteger.valueOf(a).gcd(BigInteger.valueOf(b)).longValue();
  }

  @Override
  public Int8Layout layout() {
    return new Int8Layout(groupSize);
  }

  @Override
  public String toString() {
    return describe();
  }
}
