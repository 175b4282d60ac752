package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.VectorMath.I;
import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.VectorMath.vectorEnd;

import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** What draws random numbers: dropout and noise. */
final class DropoutKernels {
  private static final VectorSpecies<Long> L = F.withLanes(long.class);

  /** As many ints and floats as there are longs in a vector. */
  private static final VectorSpecies<Integer> HALF_I =
      I.withShape(VectorShape.forBitSize(F.vectorBitSize() / 2));

  /** What {@link Dropout#isDropped} adds for each element. */
  private static final long STEP = 0x9E3779B97F4A7C15L;

  private static final LongVector STEPS = LongVector.zero(L).addIndex(1).mul(STEP);

  private final Stretches stretches;

  DropoutKernels(Stretches stretches) {
    this.stretches = stretches;
  }

  void forward(Tensor out, Tensor x, double rate, long seed) {
    float keep = (float) (1 - rate);
    float threshold = Dropout.threshold(rate);
    stretches.each(
        out.elements(),
        (f, from, n) -> {
          MemorySegment a = f.read(x, from, n);
          MemorySegment y = f.write(out, from, n);
          MemorySegment drawn = draw(f, seed, from, n);
          long end = vectorEnd(0, n);
          long i = 0;
          for (; i < end; i += LANES) {
            var dropped = load(drawn, i).compare(VectorOperators.LT, threshold);
            store(load(a, i).div(keep).blend(0f, dropped), y, i);
          }
          for (; i < n; i++) {
            set(y, i, get(drawn, i) < threshold ? 0 : get(a, i) / keep);
          }
          f.store(y, out, from);
        });
  }

  void backward(Tensor dx, Tensor dout, double rate, long seed) {
    float keep = (float) (1 - rate);
    float threshold = Dropout.threshold(rate);
    stretches.each(
        dx.elements(),
        (f, from, n) -> {
          MemorySegment dy = f.read(dout, from, n);
          MemorySegment da = f.read(dx, from, n);
          MemorySegment drawn = draw(f, seed, from, n);
          long end = vectorEnd(0, n);
          long i = 0;
          for (; i < end; i += LANES) {
            var dropped = load(drawn, i).compare(VectorOperators.LT, threshold);
            store(load(da, i).add(load(dy, i).div(keep).blend(0f, dropped)), da, i);
          }
          for (; i < n; i++) {
            set(da, i, get(da, i) + (get(drawn, i) < threshold ? 0 : get(dy, i) / keep));
          }
          f.store(da, dx, from);
        });
  }

  void addNoise(Tensor x, Tensor segments, double alpha, long seed) {
    long cols = x.cols();
    for (long s = 0; s < segments.rows(); s++) {
      long start = VectorMath.getInt(segments.memory(), 4 * s) * cols;
      long length = VectorMath.getInt(segments.memory(), 4 * s + 1);
      float magnitude = (float) (alpha / Math.sqrt((double) length * cols));
      stretches.each(
          length * cols,
          (f, from, n) -> {
            MemorySegment y = f.read(x, start + from, n);
            MemorySegment drawn = draw(f, seed, start + from, n);
            long end = vectorEnd(0, n);
            long i = 0;
            for (; i < end; i += LANES) {
              FloatVector u = load(drawn, i).mul(0x1p-23f).sub(1f);
              store(load(y, i).add(u.mul(magnitude)), y, i);
            }
            for (; i < n; i++) {
              float u = get(drawn, i) * 0x1p-23f - 1;
              set(y, i, get(y, i) + magnitude * u);
            }
            f.store(y, x, start + from);
          });
    }
  }

  /** The 24-bit numbers of elements {@code from} and on, which float32 holds exactly. */
  private static MemorySegment draw(Floats f, long seed, long from, long n) {
    MemorySegment drawn = f.room(n);
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
