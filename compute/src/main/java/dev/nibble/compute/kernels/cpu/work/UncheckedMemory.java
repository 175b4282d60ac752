package dev.nibble.compute.kernels.cpu.work;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;

/**
 * Memory by address, without bounds checks, and its 512-bit vectors. For the innermost loops only,
 * whose bounds follow from shapes that were checked before: with a segment's checks they take five
 * times as long.
 */
public final class UncheckedMemory {
  /** All memory: an offset into it is an address. */
  public static final MemorySegment ALL = all();

  /** Bytes of a vector. */
  public static final int VECTOR_BYTES = 64;

  private UncheckedMemory() {}

  @SuppressWarnings("restricted")
  private static MemorySegment all() {
    return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  }

  /** The vector at an address. */
  public static IntVector load(long address) {
    return IntVector.fromMemorySegment(
        IntVector.SPECIES_512, ALL, address, ByteOrder.LITTLE_ENDIAN);
  }

  /** Stores a vector at an address. */
  public static void store(IntVector v, long address) {
    v.intoMemorySegment(ALL, address, ByteOrder.LITTLE_ENDIAN);
  }

  /** The float at an address. */
  public static float getFloat(long address) {
    return ALL.get(VectorMath.FLOAT, address);
  }

  /** Sets the float at an address. */
  public static void setFloat(long address, float value) {
    ALL.set(VectorMath.FLOAT, address, value);
  }

  /** The byte at an address, from 0 to 255. */
  public static int getUnsignedByte(long address) {
    return ALL.get(ValueLayout.JAVA_BYTE, address) & 0xff;
  }

  static short getShort(long address) {
    return ALL.get(VectorMath.SHORT, address);
  }

  /** Sets the short at an address. */
  public static void setShort(long address, short value) {
    ALL.set(VectorMath.SHORT, address, value);
  }

  /** Copies {@code n} elements of two bytes. */
  public static void copyShorts(long from, long to, int n) {
    int bytes = 2 * n;
    int i = 0;
    for (; i <= bytes - VECTOR_BYTES; i += VECTOR_BYTES) {
      store(load(from + i), to + i);
    }
    for (; i < bytes; i += 2) {
      setShort(to + i, getShort(from + i));
    }
  }

  /** Clears {@code n} elements of two bytes. */
  public static void zeroShorts(long address, int n) {
    for (int i = 0; i < n; i++) {
      setShort(address + 2L * i, (short) 0);
    }
  }
}
