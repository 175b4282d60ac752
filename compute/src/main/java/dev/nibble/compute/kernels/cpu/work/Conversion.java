package dev.nibble.compute.kernels.cpu.work;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.HALF;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.I;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.SHORT;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Conversions between F32 and the 16-bit formats. */
public final class Conversion {
  /** The most elements of one loop, whose counter is an int. */
  private static final long CHUNK = 1 << 30;

  // An F16's bits without the sign, shifted to the position of a float32's exponent and mantissa.
  // Times 2^112 they are its value: the exponent biases are 15 and 127.
  private static final int F16_SHIFT = 13;
  private static final float F16_EXPONENTS = 0x1p112f;
  private static final int F16_INFINITY = 0x7c00 << F16_SHIFT;

  private Conversion() {}

  /** to[toFrom + i] = from[start + i] for F32, BF16 and F16, exact. */
  public static void widen(Tensor from, long start, MemorySegment to, long toFrom, long n) {
    MemorySegment m = from.memory();
    switch (from.dtype()) {
      case F32 -> MemorySegment.copy(m, start * 4, to, toFrom * 4, n * 4);
      case BF16, F16 -> widenHalves(m, from.dtype() == DType.BF16, start, to, toFrom, n);
      default -> throw new IllegalArgumentException("expected F32, BF16 or F16, got " + from);
    }
  }

  /**
   * to[toStart + i] = from[fromStart + i], rounded to the dtype of {@code to}: F32, BF16 or F16.
   */
  public static void narrow(MemorySegment from, long fromStart, Tensor to, long toStart, long n) {
    MemorySegment m = to.memory();
    switch (to.dtype()) {
      case F32 -> MemorySegment.copy(from, fromStart * 4, m, toStart * 4, n * 4);
      case BF16 -> narrowBf16(from, fromStart, m, toStart, n);
      case F16 -> {
        for (long i = 0; i < n; i++) {
          m.set(SHORT, (toStart + i) * 2, Half.toF16(VectorMath.get(from, fromStart + i)));
        }
      }
      default -> throw new IllegalArgumentException("expected F32, BF16 or F16, got " + to);
    }
  }

  /** Whether {@link #widen} and {@link #narrow} support the dtype. */
  public static boolean isFloat32OrHalf(DType dtype) {
    return dtype == DType.F32 || dtype == DType.BF16 || dtype == DType.F16;
  }

  private static void widenHalves(
      MemorySegment from, boolean bf16, long start, MemorySegment to, long toFrom, long n) {
    long source = shorts(from, start, n);
    long target = VectorMath.span(to, toFrom, n);
    for (long i = 0; i < n; i += CHUNK) {
      int length = (int) Math.min(CHUNK, n - i);
      if (bf16) {
        widenBf16(source + 2 * i, target + 4 * i, length);
      } else {
        widenF16(source + 2 * i, target + 4 * i, length);
      }
    }
  }

  private static void widenBf16(long from, long to, int n) {
    int end = VectorMath.vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      ofBf16(halves(UncheckedMemory.ALL, from + 2L * i))
          .intoMemorySegment(UncheckedMemory.ALL, to + 4L * i, ByteOrder.LITTLE_ENDIAN);
    }
    for (; i < n; i++) {
      VectorMath.set(to, i, Half.fromBf16(UncheckedMemory.getShort(from + 2L * i)));
    }
  }

  private static void widenF16(long from, long to, int n) {
    int end = VectorMath.vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      ofF16(halves(UncheckedMemory.ALL, from + 2L * i))
          .intoMemorySegment(UncheckedMemory.ALL, to + 4L * i, ByteOrder.LITTLE_ENDIAN);
    }
    for (; i < n; i++) {
      VectorMath.set(to, i, Half.fromF16(UncheckedMemory.getShort(from + 2L * i)));
    }
  }

  /** Elements {@code i} and on of a tensor of F32, BF16 or F16, exact. */
  public static FloatVector load(Tensor t, long i) {
    return switch (t.dtype()) {
      case F32 -> VectorMath.load(t.memory(), i);
      case BF16 -> ofBf16(halves(t.memory(), 2 * i)).reinterpretAsFloats();
      case F16 -> ofF16(halves(t.memory(), 2 * i)).reinterpretAsFloats();
      default -> throw new IllegalArgumentException("expected F32, BF16 or F16, got " + t);
    };
  }

  /** The bits of elements of two bytes, each in the low half of a lane. */
  private static IntVector halves(MemorySegment m, long offset) {
    ShortVector s = ShortVector.fromMemorySegment(HALF, m, offset, ByteOrder.LITTLE_ENDIAN);
    return (IntVector) s.convertShape(VectorOperators.ZERO_EXTEND_S2I, I, 0);
  }

  private static IntVector ofBf16(IntVector bits) {
    return bits.lanewise(VectorOperators.LSHL, 16);
  }

  private static IntVector ofF16(IntVector bits) {
    IntVector magnitude = bits.and(0x7fff).lanewise(VectorOperators.LSHL, F16_SHIFT);
    IntVector finite = magnitude.reinterpretAsFloats().mul(F16_EXPONENTS).reinterpretAsInts();
    VectorMask<Integer> infinite = magnitude.compare(VectorOperators.GE, F16_INFINITY);
    if (infinite.anyTrue()) {
      finite = finite.blend(magnitude.or(0x7f800000), infinite);
    }
    return finite.or(bits.and(0x8000).lanewise(VectorOperators.LSHL, 16));
  }

  /** As {@link VectorMath#span}, of elements of two bytes. */
  private static long shorts(MemorySegment m, long from, long n) {
    Objects.checkFromIndexSize(2 * from, 2 * n, m.byteSize());
    return m.address() + 2 * from;
  }

  /** to[toStart + i] = from[fromStart + i], rounded. */
  public static void narrowBf16(
      MemorySegment from, long fromStart, MemorySegment to, long toStart, long n) {
    long source = VectorMath.span(from, fromStart, n);
    long target = shorts(to, toStart, n);
    for (long i = 0; i < n; i += CHUNK) {
      narrowBf16(source + 4 * i, target + 2 * i, (int) Math.min(CHUNK, n - i));
    }
  }

  private static void narrowBf16(long from, long to, int n) {
    int end = VectorMath.vectorEnd(n);
    int i = 0;
    for (; i < end; i += LANES) {
      IntVector bits =
          IntVector.fromMemorySegment(
              I, UncheckedMemory.ALL, from + 4L * i, ByteOrder.LITTLE_ENDIAN);
      IntVector upper = bits.lanewise(VectorOperators.LSHR, 16);
      IntVector rounded = bits.add(0x7fff).add(upper.and(1)).lanewise(VectorOperators.LSHR, 16);
      VectorMask<Integer> nan = bits.and(0x7fffffff).compare(VectorOperators.GT, 0x7f800000);
      if (nan.anyTrue()) {
        rounded = rounded.blend(upper.or(0x40), nan);
      }
      ShortVector s = (ShortVector) rounded.convertShape(VectorOperators.I2S, HALF, 0);
      s.intoMemorySegment(UncheckedMemory.ALL, to + 2L * i, ByteOrder.LITTLE_ENDIAN);
    }
    for (; i < n; i++) {
      UncheckedMemory.setShort(to + 2L * i, Half.toBf16(VectorMath.get(from, i)));
    }
  }
}
