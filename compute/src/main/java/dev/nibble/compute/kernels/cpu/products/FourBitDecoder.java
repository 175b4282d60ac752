package dev.nibble.compute.kernels.cpu.products;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.I;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.INT;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;

import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.weights.Codebook;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Decoder of 4-bit codes to float32: each vector takes its codes from one word by shifts, and looks
 * them up in registers.
 */
final class FourBitDecoder {
  /**
   * How far each lane's code lies from the low end of its 32-bit word: the high half of a byte
   * comes first.
   */
  private static final IntVector SHIFTS =
      IntVector.fromArray(I, lanes(lane -> lane % 8 / 2 * 8 + (lane % 2 == 0 ? 4 : 0)), 0);

  /** With 16 lanes, the lanes that take the second word. */
  private static final VectorMask<Integer> SECOND_WORD =
      IntVector.fromArray(I, lanes(lane -> lane / 8), 0).compare(VectorOperators.GT, 0);

  private FourBitDecoder() {}

  private interface Lane {
    int value(int lane);
  }

  private static int[] lanes(Lane f) {
    int[] values = new int[LANES];
    for (int lane = 0; lane < LANES; lane++) {
      values[lane] = f.value(lane);
    }
    return values;
  }

  /** Whether codes are of 4 bits. */
  static boolean fits(Codebook weight) {
    return weight.bits() == 4;
  }

  /** to[toStart + i] = weight[start + i] for {@code n} elements of the flattened matrix. */
  static void decode(Codebook weight, long start, MemorySegment to, long toStart, long n) {
    MemorySegment codes = weight.codes().memory();
    MemorySegment codebook = weight.codebook().memory();
    int block = weight.block();
    long end = start + n;
    for (long from = start; from < end; ) {
      long b = from / block;
      long until = Math.min(end, (b + 1) * block);
      float scale = scale(weight.scales(), b);
      decode(codes, codebook, scale, from, until, to, toStart + from - start);
      from = until;
    }
  }

  /**
   * The scale of block {@code b}. Asked for each block: instanceof warms up faster than a switch.
   */
  private static float scale(Codebook.Scales scales, long b) {
    if (scales instanceof Codebook.Scales.Plain p) {
      return VectorMath.get(p.absmax().memory(), b);
    }
    Codebook.Scales.Nested d = (Codebook.Scales.Nested) scales;
    int code = d.codes().memory().get(ValueLayout.JAVA_BYTE, b) & 0xff;
    float entry = VectorMath.get(d.codebook().memory(), code);
    float product = entry * VectorMath.get(d.absmax().memory(), b / d.block());
    return product + VectorMath.get(d.offset().memory(), 0);
  }

  /** Elements {@code from} to {@code until}, all of one block. */
  private static void decode(
      MemorySegment codes,
      MemorySegment codebook,
      float scale,
      long from,
      long until,
      MemorySegment to,
      long at) {
    long i = from;
    if (i < until && (i & 1) == 1) {
      decodeOne(codes, codebook, scale, i++, to, at++);
    }
    if (LANES >= 8) {
      long end = VectorMath.vectorEnd(i, until);
      if (LANES == 8) {
        IntVector low = IntVector.fromMemorySegment(I, codebook, 0, ByteOrder.LITTLE_ENDIAN);
        IntVector high = IntVector.fromMemorySegment(I, codebook, 32, ByteOrder.LITTLE_ENDIAN);
        for (; i < end; i += LANES, at += LANES) {
          IntVector word = IntVector.broadcast(I, codes.get(INT, i / 2));
          IntVector code = word.lanewise(VectorOperators.LSHR, SHIFTS).and(15);
          IntVector index = code.and(7);
          IntVector value =
              index
                  .selectFrom(low)
                  .blend(index.selectFrom(high), code.compare(VectorOperators.GT, 7));
          store(value, scale, to, at);
        }
      } else {
        IntVector table = IntVector.fromMemorySegment(I, codebook, 0, ByteOrder.LITTLE_ENDIAN);
        for (; i < end; i += LANES, at += LANES) {
          IntVector word =
              IntVector.broadcast(I, codes.get(INT, i / 2))
                  .blend(codes.get(INT, i / 2 + 4), SECOND_WORD);
          IntVector code = word.lanewise(VectorOperators.LSHR, SHIFTS).and(15);
          store(code.selectFrom(table), scale, to, at);
        }
      }
    }
    for (; i < until; i++, at++) {
      decodeOne(codes, codebook, scale, i, to, at);
    }
  }

  private static void store(IntVector bits, float scale, MemorySegment to, long at) {
    FloatVector value = bits.reinterpretAsFloats().mul(scale);
    VectorMath.store(value, to, at);
  }

  private static void decodeOne(
      MemorySegment codes, MemorySegment codebook, float scale, long i, MemorySegment to, long at) {
    int pair = codes.get(ValueLayout.JAVA_BYTE, i / 2) & 0xff;
    int code = (i & 1) == 0 ? pair >>> 4 : pair & 15;
    VectorMath.set(to, at, VectorMath.get(codebook, code) * scale);
  }
}
