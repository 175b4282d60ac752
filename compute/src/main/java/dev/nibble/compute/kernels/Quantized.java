package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * A frozen matrix in 4-bit codes with one scale for each block of consecutive elements (row-major,
 * so a block may straddle rows; the last may be short), as bitsandbytes stores it
 * (arXiv:2305.14314): {@code w[i] = codebook[code[i]] * scale[i / block]}.
 *
 * @param codes U8 [(rows*cols+1)/2]: element 2j in the high half of byte j, element 2j+1 in the low
 *     half
 * @param codebook F32 [16]: the value of each code
 * @param scales one scale a block
 * @param rows output features O
 * @param cols input features I
 * @param block elements a block
 */
public record Quantized(
    Tensor codes, Tensor codebook, Scales scales, long rows, long cols, int block) {

  /** Checks that the parts fit each other. */
  public Quantized {
    long n = Math.multiplyExact(rows, cols);
    require(codes, DType.U8, (n + 1) / 2);
    require(codebook, DType.F32, 16);
    long blocks = (n + block - 1) / block;
    switch (scales) {
      case Scales.Plain p -> require(p.absmax(), DType.F32, blocks);
      case Scales.Nested d -> {
        require(d.codes(), DType.U8, blocks);
        require(d.absmax(), DType.F32, (blocks + d.block() - 1) / d.block());
        require(d.codebook(), DType.F32, 256);
        require(d.offset(), DType.F32, 1);
      }
    }
  }

  private static void require(Tensor t, DType dtype, long elements) {
    if (t.dtype() != dtype || t.elements() != elements) {
      throw new IllegalArgumentException(
          "%s: expected %s with %d elements".formatted(t, dtype, elements));
    }
  }

  /**
   * The same matrix over other tensors: {@code other} gives the one to take in a tensor's place.
   */
  public Quantized over(UnaryOperator<Tensor> other) {
    Scales same =
        switch (scales) {
          case Scales.Plain p -> new Scales.Plain(other.apply(p.absmax()));
          case Scales.Nested d ->
              new Scales.Nested(
                  other.apply(d.codes()),
                  other.apply(d.absmax()),
                  other.apply(d.codebook()),
                  other.apply(d.offset()),
                  d.block());
        };
    return new Quantized(other.apply(codes), other.apply(codebook), same, rows, cols, block);
  }

  /** Number of weights. */
  public long elements() {
    return rows * cols;
  }

  /** Bytes of codes and scales. */
  public long bytes() {
    return codes.bytes()
        + switch (scales) {
          case Scales.Plain p -> p.absmax().bytes();
          case Scales.Nested d -> d.codes().bytes() + d.absmax().bytes();
        };
  }

  /** The scale of each block. */
  public sealed interface Scales {
    /**
     * Scales as they are.
     *
     * @param absmax F32 [blocks]: the largest magnitude in each block
     */
    record Plain(Tensor absmax) implements Scales {}

    /**
     * Scales quantised in turn ("double quantisation"): {@code scale[b] = codebook[codes[b]] *
     * absmax[b / block] + offset}, a separate float32 multiply and add.
     *
     * @param codes U8 [blocks]
     * @param absmax F32 [ceil(blocks / block)]
     * @param codebook F32 [256], ascending
     * @param offset F32 [1]: the mean of the scales
     * @param block scales a block of scales (256)
     */
    record Nested(Tensor codes, Tensor absmax, Tensor codebook, Tensor offset, int block)
        implements Scales {}
  }
}
