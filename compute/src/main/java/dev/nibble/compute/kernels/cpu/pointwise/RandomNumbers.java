package dev.nibble.compute.kernels.cpu.pointwise;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.I;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.set;

import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Random numbers of dropout and noise, a vector of elements at a time; see {@link Dropout}. */
final class RandomNumbers {
  private static final VectorSpecies<Long> L = F.withLanes(long.class);

  /** Ints or floats, as many as a vector has longs. */
  private static final VectorSpecies<Integer> HALF_I =
      I.withShape(VectorShape.forBitSize(F.vectorBitSize() / 2));

  /** The increment per element of {@link Dropout#isDropped}. */
  private static final long STEP = 0x9E3779B97F4A7C15L;

  private static final LongVector STEPS = LongVector.zero(L).addIndex(1).mul(STEP);

  private RandomNumbers() {}

  /** The 24-bit numbers of elements {@code from} and on, which float32 holds exactly. */
  static MemorySegment draw(WorkerArena f, long seed, long from, long n) {
    MemorySegment drawn = f.allocate(n);
    int lanes = L.length();
    long end = n - n % lanes;
    long i = 0;
    for (; i < end; i += lanes) {
      LongVector z = STEPS.add(seed + (from + i) * STEP);
      z = z.lanewise(VectorOperators.XOR, z.lanewise(VectorOperators.LSHR, 30));
      z = z.mul(0xBF58476D1CE4E5B9L);
      z = z.lanewise(VectorOperators.XOR, z.lanewise(VectorOperators.LSHR, 27));
      z = z.mul(0x94D049BB133111EBL);
      z = z.lanewise(VectorOperators.XOR, z.lanewise(VectorOperators.LSHR, 31));
      z = z.lanewise(VectorOperators.LSHR, 40);
      IntVector bits = (IntVector) z.convertShape(VectorOperators.L2I, HALF_I, 0);
      bits.convert(VectorOperators.I2F, 0)
          .reinterpretAsFloats()
          .intoMemorySegment(drawn, 4 * i, ByteOrder.LITTLE_ENDIAN);
    }
    for (; i < n; i++) {
      set(drawn, i, (float) (Dropout.hash(seed + (from + i) * STEP) >>> 40));
    }
    return drawn;
  }
}
