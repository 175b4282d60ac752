package dev.nibble.compute.kernels.cpu.products;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** Eight numbers of 16 bits, widened exactly; they must be finite. */
final class EightHalves {
  // As dev.nibble.compute.kernels.cpu.work.Conversion does it.
  private static final int F16_SHIFT = 13;
  private static final float F16_EXPONENTS = 0x1p112f;

  private EightHalves() {}

  static FloatVector ofF16(MemorySegment m, long i) {
    IntVector bits = bits(m, i);
    return bits.and(0x7fff)
        .lanewise(VectorOperators.LSHL, F16_SHIFT)
        .reinterpretAsFloats()
        .mul(F16_EXPONENTS)
        .reinterpretAsInts()
        .or(bits.and(0x8000).lanewise(VectorOperators.LSHL, 16))
        .reinterpretAsFloats();
  }

  static FloatVector ofBf16(MemorySegment m, long i) {
    return bits(m, i).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  private static IntVector bits(MemorySegment m, long i) {
    ShortVector s =
        ShortVector.fromMemorySegment(ShortVector.SPECIES_128, m, 2 * i, ByteOrder.LITTLE_ENDIAN);
    return (IntVector) s.convertShape(VectorOperators.ZERO_EXTEND_S2I, IntVector.SPECIES_256, 0);
  }
}
