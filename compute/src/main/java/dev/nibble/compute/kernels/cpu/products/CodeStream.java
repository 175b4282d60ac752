package dev.nibble.compute.kernels.cpu.products;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.INT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Codes of 1, 2, 3, 4 or 8 bits, one after another from the lowest bits up, which are read eight at
 * a time: eight begin with a whole byte, and those of up to 4 bits lie in one word.
 */
final class CodeStream {
  /** Codes that are read together. */
  static final int EIGHT = 8;

  /** How far each lane's code lies from the low end of a word, by the bits of a code. */
  private static final IntVector[] SHIFTS = new IntVector[Byte.SIZE + 1];

  static {
    for (int bits = 1; bits < SHIFTS.length; bits++) {
      SHIFTS[bits] = IntVector.zero(IntVector.SPECIES_256).addIndex(bits);
    }
  }

  private final MemorySegment codes;
  private final int bits;
  private final boolean signed;
  private final IntVector shifts;
  private final long whole;

  /** Codes of some bits; {@code signed}: with a sign, of 8 bits. */
  CodeStream(MemorySegment codes, int bits, boolean signed) {
    this.codes = codes;
    this.bits = bits;
    this.signed = signed;
    shifts = SHIFTS[bits];
    // The last words of the stream would be read beyond its end.
    long last = codes.byteSize() - (bits == Byte.SIZE ? EIGHT : Integer.BYTES);
    whole = Math.floorDiv(last, (long) bits) * EIGHT;
  }

  /** Whether codes of so many bits can be read. */
  static boolean fits(int bits) {
    return bits <= 4 || bits == Byte.SIZE;
  }

  /** Whether eight codes can be read at code {@code i}, a multiple of 8. */
  boolean hasEight(long i) {
    return i <= whole;
  }

  /** Codes {@code i} and the seven that follow, where {@link #hasEight}. */
  IntVector eight(long i) {
    if (bits == Byte.SIZE) {
      ByteVector eight =
          ByteVector.fromMemorySegment(ByteVector.SPECIES_64, codes, i, ByteOrder.LITTLE_ENDIAN);
      var extend = signed ? VectorOperators.B2I : VectorOperators.ZERO_EXTEND_B2I;
      return (IntVector) eight.convertShape(extend, IntVector.SPECIES_256, 0);
    }
    return IntVector.broadcast(IntVector.SPECIES_256, codes.get(INT, i / EIGHT * bits))
        .lanewise(VectorOperators.LSHR, shifts)
        .and((1 << bits) - 1);
  }

  /** Code {@code i}. */
  int one(long i) {
    if (bits == Byte.SIZE) {
      byte code = codes.get(ValueLayout.JAVA_BYTE, i);
      return signed ? code : code & 0xff;
    }
    long bit = i * bits;
    long at = bit / Byte.SIZE;
    int shift = (int) (bit % Byte.SIZE);
    int word = codes.get(ValueLayout.JAVA_BYTE, at) & 0xff;
    if (shift + bits > Byte.SIZE) {
      word |= (codes.get(ValueLayout.JAVA_BYTE, at + 1) & 0xff) << Byte.SIZE;
    }
    return (word >> shift) & ((1 << bits) - 1);
  }
}
