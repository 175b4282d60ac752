package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.function.UnaryOperator;

/**
 * A frozen matrix in codes of a small table, with one scale for each block of consecutive elements
 * (row-major, so a block may straddle rows; the last may be short), as bitsandbytes stores it
 * (arXiv:2305.14314): {@code w[i] = codebook[code[i]] * scale[i / block]}, multiplied in float32.
 *
 * @param codes U8 [ceil(rows*cols*b / 8)], a stream of codes of b bits, where the codebook has 2^b
 *     values: code i takes the bits from i*b on, counted from the highest of the first byte, so
 *     that in 4 bits element 2j lies in the high half of byte j
 * @param codebook F32 [2^b], b from 1 to 8: the value of each code
 * @param scales one scale a block
 * @param rows output features O
 * @param cols input features I
 * @param block elements a block
 */
public record Codebook(
    Tensor codes, Tensor codebook, Scales scales, long rows, long cols, int block)
    implements TiledMatrix {

  /** Checks that the parts fit each other. */
  public Codebook {
    long n = Math.multiplyExact(rows, cols);
    long values = codebook.elements();
    if (values < 2 || values > 256 || Long.bitCount(values) != 1) {
      throw new IllegalArgumentException(
          codebook + ": expected as many values as codes of 1 to 8 bits have");
    }
    require(codebook, DType.F32, values);
    require(codes, DType.U8, Math.ceilDiv(n * bits(values), Byte.SIZE));
    long blocks = Math.ceilDiv(n, (long) block);
    switch (scales) {
      case Scales.Plain p -> require(p.absmax(), DType.F32, blocks);
      case Scales.Nested d -> {
        require(d.codes(), DType.U8, blocks);
        require(d.absmax(), DType.F32, Math.ceilDiv(blocks, (long) d.block()));
        require(d.codebook(), DType.F32, 256);
        require(d.offset(), DType.F32, 1);
      }
    }
  }

  private static int bits(long values) {
    return Long.numberOfTrailingZeros(values);
  }

  private static void require(Tensor t, DType dtype, long elements) {
    if (t.dtype() != dtype || t.elements() != elements) {
      throw new IllegalArgumentException(
          "%s: expected %s with %d elements".formatted(t, dtype, elements));
    }
  }

  /** Bits of a code, 1 to 8. */
  public int bits() {
    return bits(codebook.elements());
  }

  /** Number of scales. */
  public long blocks() {
    return Math.ceilDiv(elements(), (long) block);
  }

  @Override
  public Codebook over(UnaryOperator<Tensor> other) {
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
    return new Codebook(other.apply(codes), other.apply(codebook), same, rows, cols, block);
  }

  /** Bytes of codes and scales. */
  @Override
  public long bytes() {
    return codes.bytes()
        + switch (scales) {
          case Scales.Plain p -> p.absmax().bytes();
          case Scales.Nested d -> d.codes().bytes() + d.absmax().bytes();
        };
  }

  @Override
  public void decode(long from, long n, MemorySegment to) {
    float[] values = codebook.toFloats();
    long i = from;
    while (i < from + n) {
      long b = i / block;
      float scale = scales.of(b);
      for (long end = Math.min(from + n, (b + 1) * block); i < end; i++) {
        to.set(FLOAT, (i - from) * Float.BYTES, values[code(i)] * scale);
      }
    }
  }

  private int code(long i) {
    int bits = bits();
    long bit = i * bits;
    long at = bit / Byte.SIZE;
    int shift = Byte.SIZE - bits - (int) (bit % Byte.SIZE);
    int word = codes.getInt(at);
    if (shift < 0) {
      word = (word << Byte.SIZE) | codes.getInt(at + 1);
      shift += Byte.SIZE;
    }
    return (word >> shift) & ((1 << bits) - 1);
  }

  /**
   * Rounds as bitsandbytes does on a CPU, to the bit, all in float32:
   *
   * <ul>
   *   <li>absmax of a block is its largest magnitude, a = max(absmax, 1e-38); v = x * (1/a), or x /
   *       a in a short last block, clamped to [-1, 1].
   *   <li>The codebook need not ascend in code order (FP4's does not). Let s be its values sorted
   *       ascending, of equal values (FP4 has 0 twice, codes 0 and 8) the lower code first, and
   *       m[i] = (s[i] + s[i+1]) * 0.5 the midpoints between them. x takes the code whose value is
   *       s[k], k = number of i with m[i] &lt; v: the nearest value, the lower one in a tie. So
   *       where FP4 rounds to 0, v &lt;= 0 takes code 0 and v &gt; 0 code 8.
   *   <li>An all-zero block has absmax 0 and the code of 0, which also fills what room for codes
   *       the last byte has: 7 in NF4, 0 in FP4. Spare bits are 0.
   *   <li>Nested: offset = the mean of all absmax, summed in PyTorch's order, see {@link
   *       NestedScales#offset}. Each d = absmax - offset; the nested absmax of a block of scales is
   *       its largest |d|; u = d * (1/that), or 0 when that is 0; the code is that of u's {@link
   *       NestedScales#bin}, see {@link NestedScales#codeOfBin}.
   * </ul>
   */
  @Override
  public void encode(Tensor in) {
    new CodebookEncoder(this).encode(in);
  }

  /** For example {@code q_proj.weight [64, 64] in codes of 4 bits}. */
  @Override
  public String toString() {
    return "%s %s in codes of %d bits".formatted(codes.name(), Shape.of(rows, cols), bits());
  }

  /** The scale of each block. */
  public sealed interface Scales {

    /** The scale of block {@code b}, on the host. */
    float of(long b);

    /**
     * Scales as they are.
     *
     * @param absmax F32 [blocks]: the largest magnitude in each block
     */
    record Plain(Tensor absmax) implements Scales {
      @Override
      public float of(long b) {
        return absmax.getFloat(b);
      }
    }

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
        implements Scales {
      @Override
      public float of(long b) {
        float product = codebook.getFloat(codes.getInt(b)) * absmax.getFloat(b / block);
        return product + offset.getFloat(0);
      }
    }
  }
}
