package dev.nibble.compute.kernels.cpu.products;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.I;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;

import dev.nibble.compute.kernels.cpu.work.UncheckedMemory;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Encoder of whole blocks to 4-bit codes whose codebook ascends.
 *
 * <p>A code is the number of midpoints below a value. A rounded multiple of the value finds its
 * cell among as many as a vector has lanes; rounding keeps order, so midpoints of lower cells are
 * below, those of higher ones are not, and only those of its own cell are compared.
 *
 * <p>The loops are short and pass elements on through a worker's scratch: one that did all would be
 * more than the JIT compiles into registers.
 */
final class FourBitBlockEncoder {
  /** Midpoints of one cell that are compared at most. */
  private static final int DEPTH = 4;

  /** Elements that go through the loops at once, or a block where it is longer. */
  private static final int STRETCH = 1 << 11;

  // Keeps cells of [-1, 1] within half the lanes on either side of 0.
  private static final float CELLS = 0.5f * LANES - 0.51f;
  // Adding 1.5 * 2^23 rounds to a whole number, which then stands in the low bits.
  private static final float ROUND = 12582912;

  private final int[] base = new int[LANES];
  private final float[][] thresholds = new float[DEPTH][LANES];
  private boolean deep; // whether a cell has more than two
  private final Tensor in;
  private final MemorySegment codes;
  private final int block;

  private FourBitBlockEncoder(Tensor in, MemorySegment codes, int block) {
    this.in = in;
    this.codes = codes;
    this.block = block;
  }

  /** For these blocks and ascending midpoints; empty where vectors do not suit them. */
  static Optional<FourBitBlockEncoder> of(
      Tensor in, MemorySegment codes, int block, float[] midpoints) {
    if (LANES < 8 || block % (2 * LANES) != 0) {
      return Optional.empty();
    }
    FourBitBlockEncoder made = new FourBitBlockEncoder(in, codes, block);
    return made.fill(midpoints) ? Optional.of(made) : Optional.empty();
  }

  private boolean fill(float[] midpoints) {
    for (float[] t : thresholds) {
      Arrays.fill(t, Float.POSITIVE_INFINITY);
    }
    for (int cell = -LANES / 2; cell < LANES / 2; cell++) {
      int depth = 0;
      for (float m : midpoints) {
        int own = cell(m);
        if (own < cell) {
          base[cell & (LANES - 1)]++;
        } else if (own == cell) {
          if (depth == DEPTH) {
            return false;
          }
          deep |= depth == 2;
          thresholds[depth++][cell & (LANES - 1)] = m;
        }
      }
    }
    return true;
  }

  private static int cell(float x) {
    return Float.floatToRawIntBits(Math.fma(x, CELLS, ROUND)) - Float.floatToRawIntBits(ROUND);
  }

  /** scales[b] = the largest magnitude in block b, for {@code from} to {@code to} (exclusive). */
  void measure(long from, long to, float[] scales) {
    int bytes = block * in.dtype().bytes();
    long address = in.memory().asSlice(from * bytes, (to - from) * bytes).address();
    for (long b = from; b < to; b++) {
      scales[(int) b] =
          switch (in.dtype()) {
            case BF16 -> Half.fromBf16(mostOfShorts(address, bytes));
            case F16 -> Half.fromF16(mostOfShorts(address, bytes));
            default -> mostOfFloats(address, bytes);
          };
      address += bytes;
    }
  }

  // Magnitudes order as their bits do.

  private static short mostOfShorts(long from, int bytes) {
    ShortVector most = ShortVector.zero(Bytes.SHORTS);
    for (int i = 0; i < bytes; i += F.vectorByteSize()) {
      ShortVector bits =
          ShortVector.fromMemorySegment(
              Bytes.SHORTS, UncheckedMemory.ALL, from + i, ByteOrder.LITTLE_ENDIAN);
      most = most.max(bits.and((short) 0x7fff));
    }
    return most.reduceLanes(VectorOperators.MAX);
  }

  private static float mostOfFloats(long from, int bytes) {
    IntVector most = IntVector.zero(I);
    for (int i = 0; i < bytes; i += F.vectorByteSize()) {
      IntVector bits =
          IntVector.fromMemorySegment(I, UncheckedMemory.ALL, from + i, ByteOrder.LITTLE_ENDIAN);
      most = most.max(bits.and(0x7fffffff));
    }
    return Float.intBitsToFloat(most.reduceLanes(VectorOperators.MAX));
  }

  /**
   * Writes the codes of blocks {@code from} to {@code to} (exclusive).
   *
   * @param scales their largest magnitudes
   */
  void encode(WorkerArena f, long from, long to, float[] scales) {
    int step = Math.max(1, STRETCH / block);
    long mark = f.mark();
    for (long b = from; b < to; b += step) {
      f.release(mark);
      int blocks = (int) Math.min(step, to - b);
      int n = blocks * block;
      MemorySegment values = f.read(in, b * block, n);
      MemorySegment counts = f.allocate(n / 4);
      count(VectorMath.span(values, 0, n), blocks, scales, (int) b, counts.address());
      pack(counts.address(), codes.asSlice(b * block / 2, n / 2).address(), n / 2);
    }
    f.release(mark);
  }

  /** To each value of some blocks, in a byte, the number of midpoints below it. */
  private void count(long values, int blocks, float[] scales, int b, long to) {
    IntVector first = IntVector.fromArray(I, base, 0);
    IntVector t0 = threshold(0);
    IntVector t1 = threshold(1);
    IntVector t2 = threshold(2);
    IntVector t3 = threshold(3);
    FloatVector cells = FloatVector.broadcast(F, CELLS);
    FloatVector round = FloatVector.broadcast(F, ROUND);
    for (int i = 0; i < blocks; i++) {
      float reciprocal = 1 / Math.max(scales[b + i], FourBitEncoder.TINY);
      int end = (i + 1) * block;
      for (int at = i * block; at < end; at += LANES) {
        FloatVector x = VectorMath.load(values, at).mul(reciprocal);
        IntVector cell = x.fma(cells, round).reinterpretAsInts().and(LANES - 1);
        IntVector count = above(above(cell.selectFrom(first), x, cell, t0), x, cell, t1);
        if (deep) {
          count = above(above(count, x, cell, t2), x, cell, t3);
        }
        ((ByteVector) count.convertShape(VectorOperators.I2B, Bytes.BYTES, 0))
            .intoMemorySegment(UncheckedMemory.ALL, to + at, ByteOrder.LITTLE_ENDIAN);
      }
    }
  }

  private IntVector threshold(int depth) {
    return FloatVector.fromArray(F, thresholds[depth], 0).reinterpretAsInts();
  }

  /** One more where a value is above its cell's threshold. */
  private static IntVector above(IntVector count, FloatVector x, IntVector cell, IntVector table) {
    return count.add(
        1, x.compare(VectorOperators.GT, cell.selectFrom(table).reinterpretAsFloats()).cast(I));
  }

  /** Two codes a byte, the first in its high half. */
  private static void pack(long counts, long to, int n) {
    for (int i = 0; i < n; i += LANES) {
      ShortVector pairs =
          ShortVector.fromMemorySegment(
              VectorMath.HALF, UncheckedMemory.ALL, counts + 2L * i, ByteOrder.LITTLE_ENDIAN);
      ((ByteVector)
              pairs
                  .lanewise(VectorOperators.LSHL, 4)
                  .or(pairs.lanewise(VectorOperators.LSHR, 8))
                  .convertShape(VectorOperators.S2B, Bytes.BYTES, 0))
          .intoMemorySegment(UncheckedMemory.ALL, to + i, ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** Apart, because vectors of 128 bits have no species of a byte a lane. */
  private static final class Bytes {
    static final VectorSpecies<Short> SHORTS = VectorSpecies.of(short.class, F.vectorShape());
    static final VectorSpecies<Byte> BYTES =
        VectorSpecies.of(byte.class, VectorShape.forBitSize(8 * LANES));
  }
}
