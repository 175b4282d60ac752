package dev.nibble.quant;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/** Looks for NaN and infinities, whose exponent has all bits set, eight bytes at a time. */
final class NonFinite {
  private static final ValueLayout.OfLong WORD =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private NonFinite() {}

  /** The first element that is not finite. The tensor is F32, BF16 or F16, on the host. */
  static OptionalLong first(Tensor t) {
    // Adding the lowest bit of the exponent carries into the sign where all its bits are set.
    return switch (t.dtype()) {
      case F32 -> first(t, 0x7f800000_7f800000L, 0x00800000_00800000L, 0x80000000_80000000L);
      case BF16 -> first(t, 0x7f807f80_7f807f80L, 0x00800080_00800080L, 0x80008000_80008000L);
      case F16 -> first(t, 0x7c007c00_7c007c00L, 0x04000400_04000400L, 0x80008000_80008000L);
      default -> throw new IllegalArgumentException("not F32, BF16 or F16: " + t);
    };
  }

  private static OptionalLong first(Tensor t, long exponent, long lowest, long sign) {
    MemorySegment memory = t.memory();
    long words = memory.byteSize() / Long.BYTES;
    long carries = 0;
    for (long i = 0; i < words; i++) {
      carries |= (memory.get(WORD, i * Long.BYTES) & exponent) + lowest;
    }
    long from = (carries & sign) == 0 ? words * Long.BYTES / t.dtype().bytes() : 0;
    for (long i = from; i < t.elements(); i++) {
      if (!Float.isFinite(t.getFloat(i))) {
        return OptionalLong.of(i);
      }
    }
    return OptionalLong.empty();
  }
}
