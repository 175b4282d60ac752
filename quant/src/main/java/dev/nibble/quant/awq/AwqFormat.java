package dev.nibble.quant.awq;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.GroupedIntegers;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;

/**
 * Activation-aware weight quantisation (Lin et al., arXiv:2306.00978) as checkpoints have it:
 * {@link Affine} matrices of 4 bits with float16 scales and whole zero points. Checkpoints are
 * read, and written again. Weights are not brought to it: that would take scaling inputs first.
 *
 * @param groupSize consecutive inputs that share a scale and a zero point
 */
public record AwqFormat(int groupSize) implements WeightFormat {
  /** Bits of a code. */
  static final int BITS = 4;

  /** Checks the group size. */
  public AwqFormat {
    if (groupSize < 1) {
      throw new IllegalArgumentException("AWQ in groups of %d weights".formatted(groupSize));
    }
  }

  @Override
  public String name() {
    return "awq";
  }

  /** For example {@code AWQ, 4 bits, groups of 128}. */
  @Override
  public String describe() {
    return "AWQ, %d bits, groups of %d".formatted(BITS, groupSize);
  }

  /** See {@link GroupedIntegers#bitsPerWeight}. */
  @Override
  public double bitsPerWeight() {
    return GroupedIntegers.bitsPerWeight(BITS, groupSize);
  }

  @Override
  public Allocator allocator(Kernels kernels, Scope scope) {
    return (name, rows, cols) -> {
      if (cols % groupSize != 0) {
        throw new UnusableWeight(
            "tensor '%s' has %d inputs, which groups of %d do not divide"
                .formatted(name, cols, groupSize));
      }
      return GroupedIntegers.allocate(scope, name, rows, cols, BITS, groupSize, DType.F16, false);
    };
  }

  /**
   * Refused: AWQ is what scales the inputs of a map by how large they are, before it rounds.
   *
   * @throws UnusableWeight unless memory is only planned
   */
  @Override
  public void encode(Kernels kernels, FrozenMatrix out, Tensor in) {
    if (!kernels.memory().isPlanned()) {
      throw new UnusableWeight(
          "tensor '%s': AWQ is read and not made here; quantise with GPTQ or HQQ, or take a model that is in AWQ"
              .formatted(in.name()));
    }
  }

  @Override
  public AwqLayout layout() {
    return new AwqLayout(this);
  }

  @Override
  public String toString() {
    return describe();
  }
}
