package dev.nibble.compute.kernels.cpu.products;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.SHORT;

import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.weights.E8Lattice;
import dev.nibble.compute.weights.E8Vectors;
import dev.nibble.compute.weights.Lattice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Decoder of {@link Lattice} matrices to float32, eight elements at a time from tables that stay in
 * a core's first-level cache: a row's magnitudes, and the signs.
 */
final class LatticeDecoder implements FrozenTiles {
  private static final int EIGHT = E8Lattice.EIGHT;
  private static final int ROWS = 256;

  /** By rows, twice: with an even number of minuses among the first seven, and with an odd one. */
  private static final float[] MAGNITUDES = new float[2 * ROWS * EIGHT];

  /** Sign bits of the first seven, by the pattern of these. */
  private static final int[] SIGNS = new int[ROWS / 2 * EIGHT];

  /** Of residuals in one bit a weight, by vectors. */
  private static final float[] VECTORS = new float[ROWS * EIGHT];

  static {
    for (int code = 0; code < ROWS; code++) {
      E8Vectors.vector(code, VECTORS, code * EIGHT);
    }
    float[] point = new float[EIGHT];
    for (int row = 0; row < ROWS; row++) {
      for (int odd = 0; odd < 2; odd++) {
        // A code without a minus, and one with the first: the last sign follows from these.
        E8Lattice.point(row << 8 | odd << 1 | 1, point, 0);
        for (int i = 0; i < EIGHT; i++) {
          float unshifted = point[i] - E8Lattice.SHIFT;
          MAGNITUDES[(2 * row + odd) * EIGHT + i] = i < EIGHT - 1 ? Math.abs(unshifted) : unshifted;
        }
      }
    }
    for (int pattern = 0; pattern < ROWS / 2; pattern++) {
      for (int i = 0; i < EIGHT - 1; i++) {
        SIGNS[pattern * EIGHT + i] = (pattern >> i & 1) << 31;
      }
    }
  }

  private final Lattice matrix;
  private final MemorySegment codes;
  private final MemorySegment residuals;
  private final int bits;
  private final float scale;
  private final float finer;

  LatticeDecoder(Lattice matrix) {
    this.matrix = matrix;
    codes = matrix.codes().memory();
    residuals = matrix.residuals().map(t -> t.memory()).orElse(MemorySegment.NULL);
    scale = matrix.scales().getFloat(0);
    bits = matrix.bits();
    finer = bits > 2 ? matrix.scales().getFloat(1) : 0;
  }

  /** Whether the processor has vectors of eight floats. */
  static boolean fits() {
    return LANES >= EIGHT;
  }

  @Override
  public void read(long start, MemorySegment to, long at, long n) {
    long i = start;
    if (i % EIGHT != 0) {
      i = some(i, Math.min(start + n, i + EIGHT - i % EIGHT), to, at);
    }
    long first = at - start;
    for (; i + EIGHT <= start + n; i += EIGHT) {
      value(i / EIGHT).intoMemorySegment(to, (first + i) * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
    }
    if (i < start + n) {
      some(i, start + n, to, first + i);
    }
  }

  /** Elements i and on, up to end, of one point. */
  private long some(long i, long end, MemorySegment to, long at) {
    float[] point = new float[EIGHT];
    matrix.value(i / EIGHT, point);
    for (long k = i; k < end; k++) {
      VectorMath.set(to, at + k - i, point[(int) (k % EIGHT)]);
    }
    return end;
  }

  private FloatVector value(long eight) {
    FloatVector point = point(codes.get(SHORT, eight * Short.BYTES)).mul(scale);
    return switch (bits) {
      case 2 -> point;
      case 3 -> point.add(vector(residuals.get(ValueLayout.JAVA_BYTE, eight)).mul(finer));
      default -> point.add(point(residuals.get(SHORT, eight * Short.BYTES)).mul(finer));
    };
  }

  private static FloatVector vector(int code) {
    return FloatVector.fromArray(FloatVector.SPECIES_256, VECTORS, (code & 0xff) * EIGHT);
  }

  private static FloatVector point(int code) {
    int row = code >> 8 & 0xff;
    int pattern = code >> 1 & 0x7f;
    int odd = Integer.bitCount(pattern) & 1;
    IntVector signs = IntVector.fromArray(IntVector.SPECIES_256, SIGNS, pattern * EIGHT);
    return FloatVector.fromArray(FloatVector.SPECIES_256, MAGNITUDES, (2 * row + odd) * EIGHT)
        .reinterpretAsInts()
        .lanewise(VectorOperators.XOR, signs)
        .reinterpretAsFloats()
        .add((code & 1) == 1 ? E8Lattice.SHIFT : -E8Lattice.SHIFT);
  }
}
