package dev.nibble.quant.gptq;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.quant.GroupedIntegers;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.SecondMoments;
import dev.nibble.quant.UnusableWeight;
import java.math.BigInteger;
import java.util.List;

/**
 * GPTQ (Frantar et al., arXiv:2210.17323): {@link Affine} matrices with float16 scales and whole
 * zero points, rounded so that a map's outputs on the calibration data change little.
 *
 * @param bits of a code: 2, 3, 4 or 8
 * @param groupSize consecutive inputs that share a scale and a zero point; {@link #WHOLE_ROWS}
 * @param symmetric whether all zero points are the middle code
 * @param actOrder whether inputs with large second moments are rounded first ("desc_act"). Groups
 *     are consecutive inputs all the same ("static groups"), so that files need no order of inputs
 * @param damping a part of the mean of H's diagonal that is added to it, above 0
 * @param version how files store zero points
 */
public record GptqFormat(
    int bits, int groupSize, boolean symmetric, boolean actOrder, double damping, Version version)
    implements CalibratedFormat {
  /** The widths that codes can have. */
  public static final List<Integer> BITS = List.of(8, 4, 3, 2);

  /** As a group size: one group for each output. */
  public static final int WHOLE_ROWS = -1;

  /** The group size that most checkpoints have. */
  public static final int DEFAULT_GROUP_SIZE = 128;

  /** The damping of the paper. */
  public static final double DEFAULT_DAMPING = 0.01;

  /** Inputs of a large matrix, over which the numbers of a whole row are spread. */
  private static final int LARGE = 4096;

  /** How files store zero points, their {@code checkpoint_format}. */
  public enum Version {
    /** Less one: {@code gptq}, which every reader reads, and where 0 is not the same to all. */
    GPTQ("gptq"),
    /** As they are: {@code gptq_v2}, which newer readers read. */
    GPTQ_V2("gptq_v2");

    private final String key;

    Version(String key) {
      this.key = key;
    }

    /** The word for it in config.json. */
    String key() {
      return key;
    }

    /** What is taken from zero points. */
    int less() {
      return this == GPTQ ? 1 : 0;
    }
  }

  /** Checks the numbers. */
  public GptqFormat {
    if (!BITS.contains(bits)) {
      throw new IllegalArgumentException(
          "GPTQ in %d bits: expected one of %s".formatted(bits, BITS));
    }
    if (groupSize < 1 && groupSize != WHOLE_ROWS) {
      throw new IllegalArgumentException(
          "GPTQ in groups of %d: expected a positive number, or -1 for whole rows"
              .formatted(groupSize));
    }
    if (!(damping > 0 && Double.isFinite(damping))) {
      throw new IllegalArgumentException(
          "GPTQ with a damping of %s: expected a positive number".formatted(damping));
    }
  }

  /** The usual one: with zero points, in act order, {@code checkpoint_format} gptq. */
  public GptqFormat(int bits, int groupSize) {
    this(bits, groupSize, false, true, DEFAULT_DAMPING, Version.GPTQ);
  }

  @Override
  public String name() {
    return "gptq-" + bits;
  }

  /** For example {@code GPTQ, 4 bits, groups of 128, act order}. */
  @Override
  public String describe() {
    return "GPTQ, %d bits, %s%s%s"
        .formatted(
            bits,
            groupSize == WHOLE_ROWS ? "whole rows" : "groups of " + groupSize,
            symmetric ? ", symmetric" : "",
            actOrder ? ", act order" : "");
  }

  /** See {@link GroupedIntegers#bitsPerWeight}. Whole rows are taken to be 4096 long. */
  @Override
  public double bitsPerWeight() {
    return GroupedIntegers.bitsPerWeight(bits, size(LARGE));
  }

  /** The group size in a matrix of as many inputs. */
  int size(long cols) {
    return groupSize == WHOLE_ROWS ? Math.toIntExact(cols) : groupSize;
  }

  @Override
  public Allocator allocator(Kernels kernels, Scope scope) {
    return (name, rows, cols) -> {
      int size = size(cols);
      if (cols % size != 0) {
        throw new UnusableWeight(
            "tensor '%s' has %d inputs, which groups of %d do not divide; take a group size that divides the inputs of every linear layer, such as %d for this one"
                .formatted(
                    name,
                    cols,
                    size,
                    BigInteger.valueOf(cols).gcd(BigInteger.valueOf(size)).longValue()));
      }
      return GroupedIntegers.allocate(scope, name, rows, cols, bits, size, DType.F16, false);
    };
  }

  /** Solved on the host, whose threads all take part. */
  @Override
  public void encode(Kernels kernels, FrozenMatrix out, Tensor in, SecondMoments moments) {
    if (kernels.memory().isPlanned()) {
      return;
    }
    moments.requireInputsOf(out);
    HessianFactor factor =
        HessianFactor.of(
            in.name(),
            moments,
            damping,
            HessianFactor.Dead.IN_THE_MEAN,
            actOrder ? HessianFactor.Order.DESCENDING : HessianFactor.Order.NATURAL);
    try (HostCopies host = new HostCopies(kernels)) {
      Tensor values = host.of(in);
      host.change(out, near -> new GptqSolver((Affine) near, symmetric).solve(values, factor));
    }
  }

  @Override
  public GptqLayout layout() {
    return new GptqLayout(this);
  }

  @Override
  public String toString() {
    return describe();
  }
}
