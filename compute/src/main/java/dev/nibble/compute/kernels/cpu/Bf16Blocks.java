package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.VectorMath.I;
import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;

import dev.nibble.compute.tensor.Half;
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
 * Whole blocks of BF16 to 4-bit codes whose codebook ascends, two elements a lane.
 *
 * <p>A code is the number of midpoints below a value. A rounded multiple of the value finds its
 * cell among as many as a vector has lanes; rounding keeps order, so midpoints of lower cells are
 * below, those of higher ones are not, and only those of its own cell are compared.
 */
final class Bf16Blocks {
  /** Midpoints of one cell that are compared at most. */
  private static final int DEPTH = 4;

  // Keeps cells of [-1, 1] within half the lanes on either side of 0.
  private static final float CELLS = 0.5f * LANES - 0.51f;
  // Adding 1.5 * 2^23 rounds to a whole number, which then stands in the low bits.
  private static final float ROUND = 12582912;

  private final int[] base = new int[LANES];
  private final float[][] thresholds = new float[DEPTH][LANES];
  private final int block;

  private Bf16Blocks(int block) {
    this.block = block;
  }

  /** For these blocks and ascending midpoints; empty where vectors do not suit them. */
  static Optional<Bf16Blocks> of(int block, float[] midpoints) {
    if (LANES < 8 || block % (2 * LANES) != 0) {
      return Optional.empty();
    }
    Bf16Blocks made = new Bf16Blocks(block);
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
  void measure(MemorySegment in, long from, long to, float[] scales) {
    for (long b = from; b < to; b++) {
      long start = b * block * 2;
      ShortVector most = ShortVector.zero(Bytes.SHORTS);
      for (int i = 0; i < block; i += 2 * LANES) {
        ShortVector bits =
            ShortVector.fromMemorySegment(
                Bytes.SHORTS, in, start + 2L * i, ByteOrder.LITTLE_ENDIAN);
        most = most.max(bits.and((short) 0x7fff)); // magnitudes order as their bits do
      }
      scales[(int) b] = Half.fromBf16(most.reduceLanes(VectorOperators.MAX));
    }
  }

  /** The codes of blocks {@code from} to {@code to} (exclusive), by their largest magnitudes. */
  void encode(MemorySegment codes, MemorySegment in, long from, long to, float[] scales) {
    IntVector first = IntVector.fromArray(I, base, 0);
    IntVector t0 = FloatVector.fromArray(F, thresholds[0], 0).reinterpretAsInts();
    IntVector t1 = FloatVector.fromArray(F, thresholds[1], 0).reinterpretAsInts();
    IntVector t2 = FloatVector.fromArray(F, thresholds[2], 0).reinterpretAsInts();
    IntVector t3 = FloatVector.fromArray(F, thresholds[3], 0).reinterpretAsInts();
    FloatVector cells = FloatVector.broadcast(F, CELLS);
    FloatVector round = FloatVector.broadcast(F, ROUND);
    boolean deep = isDeep();
    for (long b = from; b < to; b++) {
      float reciprocal = 1 / Math.max(scales[(int) b], Quantizer.TINY);
      long start = b * block;
      for (int i = 0; i < block; i += 2 * LANES) {
        // A pair in each lane, the first element in its low half.
        IntVector pairs =
            IntVector.fromMemorySegment(I, in, 2 * (start + i), ByteOrder.LITTLE_ENDIAN);
        FloatVector x =
            pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().mul(reciprocal);
        FloatVector y = pairs.and(0xffff0000).reinterpretAsFloats().mul(reciprocal);
        IntVector cx = x.fma(cells, round).reinterpretAsInts().and(LANES - 1);
        IntVector cy = y.fma(cells, round).reinterpretAsInts().and(LANES - 1);
        IntVector high = above(above(cx.selectFrom(first), x, cx, t0), x, cx, t1);
        IntVector low = above(above(cy.selectFrom(first), y, cy, t0), y, cy, t1);
        if (deep) {
          high = above(above(high, x, cx, t2), x, cx, t3);
          low = above(above(low, y, cy, t2), y, cy, t3);
        }
        ((ByteVector)
                high.lanewise(VectorOperators.LSHL, 4)
                    .or(low)
                    .convertShape(VectorOperators.I2B, Bytes.BYTES, 0))
            .intoMemorySegment(codes, (start + i) / 2, ByteOrder.LITTLE_ENDIAN);
      }
    }
  }

  private boolean isDeep() {
    for (float t : thresholds[2]) {
      if (t != Float.POSITIVE_INFINITY) {
        return true;
      }
    }
    return false;
  }

  /** One more where a value is above its cell's threshold. */
  private static IntVector above(IntVector count, FloatVector x, IntVector cell, IntVector table) {
    return count.add(
        1, x.compare(VectorOperators.GT, cell.selectFrom(table).reinterpretAsFloats()).cast(I));
  }

  /** Apart, because vectors of 128 bits have no species of a byte a lane. */
  private static final class Bytes {
    static final VectorSpecies<Short> SHORTS = VectorSpecies.of(short.class, F.vectorShape());
    static final VectorSpecies<Byte> BYTES =
        VectorSpecies.of(byte.class, VectorShape.forBitSize(8 * LANES));
  }
}
