package dev.nibble.quant.codebook;

/**
 * The scales of a matrix in codes of a table: the largest magnitude of each block of weights.
 *
 * @param block consecutive weights that share a scale
 * @param nested whether each scale is kept in 8 bits, with a float32 scale for every {@value
 *     #NESTED_BLOCK} of them (double quantisation)
 */
public record BlockScales(int block, boolean nested) {
  /** The block size of QLoRA. */
  public static final int DEFAULT_BLOCK = 64;

  /** Scales that share a second scale. */
  public static final int NESTED_BLOCK = 256;

  /** Checks the block size. */
  public BlockScales {
    if (block < 1) {
      throw new IllegalArgumentException("blocks of %d weights".formatted(block));
    }
  }

  /** The share of a weight in the scales of a large matrix. */
  public double bitsPerWeight() {
    double scale = nested ? Byte.SIZE + (double) Float.SIZE / NESTED_BLOCK : Float.SIZE;
    return scale / block;
  }

  /** For example {@code blocks of 64, double quantisation}. */
  public String describe() {
    return "blocks of %d%s".formatted(block, nested ? ", double quantisation" : "");
  }
}
