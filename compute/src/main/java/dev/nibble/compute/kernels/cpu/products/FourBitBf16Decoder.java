package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.work.UncheckedMemory;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Codebook.Scales;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Decoder of 4-bit codes to bfloat16, on processors with AVX-512: the 16 values of a block, scaled
 * and rounded once, are a table in one register, and 32 codes are looked up in it at a time.
 */
final class FourBitBf16Decoder implements Bf16Matrix.Source {
  private static final int STEP = 32;

  private final long codes;
  private final long codebook;
  private final int blockShift;
  private final boolean nested;
  // Of plain scales, or of the scales' own blocks.
  private final long absmax;
  private final long scaleCodes;
  private final long scaleCodebook;
  private final int scaleBlockShift;
  private final float offset;

  /** Reads a weight that {@link #fits}. */
  FourBitBf16Decoder(Codebook weight) {
    codes = weight.codes().memory().address();
    codebook = weight.codebook().memory().address();
    blockShift = Integer.numberOfTrailingZeros(weight.block());
    switch (weight.scales()) {
      case Scales.Plain p -> {
        nested = false;
        absmax = p.absmax().memory().address();
        scaleCodes = 0;
        scaleCodebook = 0;
        scaleBlockShift = 0;
        offset = 0;
      }
      case Scales.Nested d -> {
        nested = true;
        absmax = d.absmax().memory().address();
        scaleCodes = d.codes().memory().address();
        scaleCodebook = d.codebook().memory().address();
        scaleBlockShift = Integer.numberOfTrailingZeros(d.block());
        offset = d.offset().getFloat(0);
      }
    }
  }

  /**
   * Whether it is in 4 bits, rows start with whole bytes, and blocks are whole steps and powers of
   * two.
   */
  static boolean fits(Codebook q) {
    return q.bits() == 4
        && q.cols() % 2 == 0
        && q.block() % STEP == 0
        && Integer.bitCount(q.block()) == 1
        && (!(q.scales() instanceof Scales.Nested d) || Integer.bitCount(d.block()) == 1);
  }

  /** The 16 values of codes, unscaled. */
  FloatVector values() {
    return FloatVector.fromMemorySegment(
        FloatVector.SPECIES_512, UncheckedMemory.ALL, codebook, ByteOrder.LITTLE_ENDIAN);
  }

  /** Where the code of an element lies; of an even one, in the high half of the byte. */
  long address(long element) {
    return codes + element / 2;
  }

  /** The scale of an element's block. */
  float scaleAt(long element) {
    long block = element >> blockShift;
    if (!nested) {
      return UncheckedMemory.getFloat(absmax + 4 * block);
    }
    float entry =
        UncheckedMemory.getFloat(
            scaleCodebook + 4L * UncheckedMemory.getUnsignedByte(scaleCodes + block));
    float product = entry * UncheckedMemory.getFloat(absmax + 4 * (block >> scaleBlockShift));
    return product + offset;
  }

  /** {@code start} is even. */
  @Override
  public void read(long start, long to, int n, MemorySegment floats) {
    FloatVector values = values();
    long end = start + n;
    long at = to;
    for (long from = start; from < end; ) {
      long block = from >> blockShift;
      int length = (int) (Math.min(end, (block + 1) << blockShift) - from);
      float scale = scaleAt(from);
      ShortVector table =
          narrow(values.mul(scale))
              .reinterpretShape(ShortVector.SPECIES_512, 0)
              .reinterpretAsShorts();
      long of = address(from);
      int i = 0;
      for (; i <= length - STEP; i += STEP) {
        lookUp(table, of + i / 2, at + 2L * i);
      }
      for (; i < length; i++) {
        int pair = UncheckedMemory.getUnsignedByte(of + i / 2);
        int code = (i & 1) == 0 ? pair >>> 4 : pair & 15;
        float value = UncheckedMemory.getFloat(codebook + 4L * code) * scale;
        UncheckedMemory.setShort(at + 2L * i, Half.toBf16(value));
      }
      at += 2L * length;
      from += length;
    }
  }

  /** Finite floats rounded to the nearest bfloat16, to even in a tie. */
  static ShortVector narrow(FloatVector v) {
    return (ShortVector)
        rounded(v)
            .lanewise(VectorOperators.LSHR, 16)
            .convertShape(VectorOperators.I2S, ShortVector.SPECIES_256, 0);
  }

  /** The same in the upper half of each lane; the lower half means nothing. */
  static IntVector rounded(FloatVector v) {
    IntVector bits = v.reinterpretAsInts();
    return bits.add(0x7fff).add(bits.lanewise(VectorOperators.LSHR, 16).and(1));
  }

  /** 32 codes of 16 bytes: the first of a byte is in its high half, and the low one of a lane. */
  private static void lookUp(ShortVector table, long from, long to) {
    IntVector pairs =
        (IntVector)
            ByteVector.fromMemorySegment(
                    ByteVector.SPECIES_128, UncheckedMemory.ALL, from, ByteOrder.LITTLE_ENDIAN)
                .convertShape(VectorOperators.ZERO_EXTEND_B2I, IntVector.SPECIES_512, 0);
    pairs
        .lanewise(VectorOperators.LSHR, 4)
        .or(pairs.and(15).lanewise(VectorOperators.LSHL, 16))
        .reinterpretAsShorts()
        .selectFrom(table)
        .intoMemorySegment(UncheckedMemory.ALL, to, ByteOrder.LITTLE_ENDIAN);
  }
}
