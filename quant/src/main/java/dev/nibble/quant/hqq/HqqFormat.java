package dev.nibble.quant.hqq;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.compute.weights.Numbers;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import java.util.List;

/**
 * Half-quadratic quantisation (Badri and Shaji, 2023): {@link Affine} matrices with real zero
 * points, which a solver fits to the weights without calibration data.
 *
 * @param bits of a code: 1, 2, 3, 4 or 8
 * @param groupSize weights that share a scale and a zero point, a multiple of 8
 * @param axis along which groups run
 * @param optimize whether zero points are fitted; else they stay at the group's least value
 * @param metadata how scales and zero points are held
 */
public record HqqFormat(int bits, int groupSize, Axis axis, boolean optimize, Metadata metadata)
    implements WeightFormat {
  /** The widths that codes can have. */
  public static final List<Integer> BITS = List.of(8, 4, 3, 2, 1);

  /** The group size that the library takes. */
  public static final int DEFAULT_GROUP_SIZE = 64;

  /** Scales in 8 bits that share a scale and a zero point of their own. */
  private static final int NESTED_GROUP = 128;

  private static final String GROUP = "weights/";

  /** How scales and zero points are held. */
  public enum Metadata {
    /** In float16, as checkpoints hold them. */
    F16(2 * 16),
    /** In bfloat16. */
    BF16(2 * 16),
    /** In float32, as transformers 4.57 saves them. */
    F32(2 * 32),
    /** In 8 bits: scales in groups of 128 and zero points in one group, each with a pair in F32. */
    QUANTIZED(8 + 8 + 2.0 * 32 / NESTED_GROUP);

    private final double bits;

    Metadata(double bits) {
      this.bits = bits;
    }
  }

  /** Checks the numbers. */
  public HqqFormat {
    if (!BITS.contains(bits)) {
      throw new IllegalArgumentException(
          "HQQ in %d bits: expected one of %s".formatted(bits, BITS));
    }
    if (groupSize < Byte.SIZE || groupSize % Byte.SIZE != 0) {
      throw new IllegalArgumentException(
          "HQQ in groups of %d: expected a multiple of 8".formatted(groupSize));
    }
  }

  @Override
  public String name() {
    return "hqq-" + bits;
  }

  /** For example {@code HQQ, 4 bits, groups of 64}. */
  @Override
  public String describe() {
    return "HQQ, %d bit%s, groups of %d%s%s%s"
        .formatted(
            bits,
            bits == 1 ? "" : "s",
            groupSize,
            axis == Axis.OUTPUTS ? " along outputs" : "",
            optimize ? "" : ", not optimised",
            metadata == Metadata.QUANTIZED ? ", scales and zero points in 8 bits" : "");
  }

  @Override
  public double bitsPerWeight() {
    return bits + metadata.bits / groupSize;
  }

  @Override
  public Allocator allocator(Kernels kernels, Scope scope) {
    return (name, rows, cols) -> {
      long n = Math.multiplyExact(rows, cols);
      if (n % groupSize != 0) {
        throw new UnusableWeight(
            "tensor '%s' has %d x %d weights, which groups of %d do not divide; take a smaller group size, such as 8"
                .formatted(name, rows, cols, groupSize));
      }
      long count = n / groupSize;
      return new Affine(
          scope.allocate(GROUP + name, DType.U8, Affine.bytes(n, bits)),
          numbers(scope, name + "_scale", count, Math.ceilDiv(count, NESTED_GROUP)),
          numbers(scope, name + "_zero", count, 1),
          rows,
          cols,
          bits,
          new Groups(axis, groupSize));
    };
  }

  private Numbers numbers(Scope scope, String name, long count, long pairs) {
    return switch (metadata) {
      case F16 -> new Numbers.Plain(scope.allocate(GROUP + name, DType.F16, count));
      case BF16 -> new Numbers.Plain(scope.allocate(GROUP + name, DType.BF16, count));
      case F32 -> new Numbers.Plain(scope.allocate(GROUP + name, DType.F32, count));
      case QUANTIZED ->
          new Numbers.Quantized(
              scope.allocate(GROUP + name, DType.U8, count),
              scope.allocate(GROUP + name + "_scale", DType.F32, pairs),
              scope.allocate(GROUP + name + "_zero", DType.F32, pairs));
    };
  }

  /** Solved on the host, whose threads all take part. */
  @Override
  public void encode(Kernels kernels, FrozenMatrix out, Tensor in) {
    if (kernels.memory().isPlanned()) {
      return;
    }
    try (HostCopies host = new HostCopies(kernels)) {
      Tensor values = host.of(in);
      host.change(out, near -> new HqqSolver((Affine) near, optimize).solve(values));
    }
  }

  @Override
  public HqqLayout layout() {
    return new HqqLayout(this);
  }

  @Override
  public String toString() {
    return describe();
  }
}
