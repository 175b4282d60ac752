package dev.nibble.quant.bnb;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.codebook.BlockScales;
import dev.nibble.quant.codebook.CodebookAllocator;
import java.util.List;
import java.util.Locale;

/**
 * A 4-bit format of bitsandbytes (QLoRA, arXiv:2305.14314): a codebook of sixteen values and a
 * scale for each block of weights.
 *
 * @param type the sixteen values that a weight can take
 * @param blockSize consecutive weights that share a scale: one of {@link #BLOCK_SIZES}
 * @param doubleQuant keep each scale in 8 bits, see {@link BlockScales}: 4.127 instead of 4.5 bits
 *     a weight at block size 64
 */
public record FourBitFormat(QuantType type, int blockSize, boolean doubleQuant)
    implements WeightFormat {
  /** The block size of the paper, and the only one of transformers. */
  public static final int DEFAULT_BLOCK_SIZE = BlockScales.DEFAULT_BLOCK;

  /** What bitsandbytes reads. */
  public static final List<Integer> BLOCK_SIZES = List.of(32, 64, 128, 256, 512, 1024, 2048, 4096);

  /** The sixteen values, in proportion to the largest magnitude of a block. */
  public enum QuantType {
    /** Quantiles of a normal distribution, and 0: for weights that are about normal. */
    NF4,
    /** A sign, and 0, 1/192 or one of six multiples of 1/12: a float of four bits. */
    FP4;

    /** As bitsandbytes writes it: {@code nf4}. */
    String written() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Checks the block size. */
  public FourBitFormat {
    if (!BLOCK_SIZES.contains(blockSize)) {
      throw new IllegalArgumentException(
          "4-bit block size %d is not one of %s".formatted(blockSize, BLOCK_SIZES));
    }
  }

  @Override
  public String name() {
    return type.written();
  }

  /** For example {@code NF4, blocks of 64, double quantisation}. */
  @Override
  public String describe() {
    return "%s, %s".formatted(type, scales().describe());
  }

  @Override
  public double bitsPerWeight() {
    return 4 + scales().bitsPerWeight();
  }

  private BlockScales scales() {
    return new BlockScales(blockSize, doubleQuant);
  }

  @Override
  public CodebookAllocator allocator(Kernels kernels, Scope scope) {
    return new CodebookAllocator(kernels, scope, type.name(), FourBitCodebook.of(type), scales());
  }

  @Override
  public FourBitLayout layout() {
    return new FourBitLayout(this);
  }

  @Override
  public String toString() {
    return describe();
  }
}
