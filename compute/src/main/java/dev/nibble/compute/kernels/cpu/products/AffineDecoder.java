package dev.nibble.compute.kernels.cpu.products;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.INT;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;

import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Numbers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Decoder of {@link Affine} matrices to float32: codes become floats, eight at a time, and these
 * are shifted and scaled where they lie, in runs of a group or of neighbouring groups.
 */
final class AffineDecoder implements FrozenTiles {
  private static final int EIGHT = 8;

  /** How far each lane's code lies from the low end of a word, by the bits of a code. */
  private static final IntVector[] SHIFTS = new IntVector[Byte.SIZE + 1];

  static {
    for (int bits = 1; bits < SHIFTS.length; bits++) {
      SHIFTS[bits] = IntVector.zero(IntVector.SPECIES_256).addIndex(bits);
    }
  }

  private final Affine weight;
  private final MemorySegment codes;
  private final long groups;

  /** Reads a weight that {@link #fits}. */
  AffineDecoder(Affine weight) {
    this.weight = weight;
    codes = weight.codes().memory();
    groups = weight.scales().count();
  }

  /** Whether the processor has vectors of eight floats, and codes are of 1, 2, 3, 4 or 8 bits. */
  static boolean fits(Affine weight) {
    return LANES >= EIGHT && (weight.bits() <= 4 || weight.bits() == Byte.SIZE);
  }

  @Override
  public void read(long start, MemorySegment to, long at, long n) {
    if (weight.bits() == Byte.SIZE) {
      bytes(start, to, at, n);
    } else {
      words(start, to, at, n);
    }
    if (weight.groups().axis() == Groups.Axis.INPUTS) {
      scaleAlongInputs(start, to, at, n);
    } else {
      scaleAlongOutputs(start, to, at, n);
    }
  }

  private void bytes(long start, MemorySegment to, long at, long n) {
    var extend = weight.signed() ? VectorOperators.B2I : VectorOperators.ZERO_EXTEND_B2I;
    long i = 0;
    for (; i + EIGHT <= n; i += EIGHT) {
      var eight =
          ByteVector.fromMemorySegment(
              ByteVector.SPECIES_64, codes, start + i, ByteOrder.LITTLE_ENDIAN);
      store((IntVector) eight.convertShape(extend, IntVector.SPECIES_256, 0), to, at + i);
    }
    for (; i < n; i++) {
      VectorMath.set(to, at + i, weight.code(start + i));
    }
  }

  /** Eight codes of up to 4 bits begin with a whole byte and lie in one word. */
  private void words(long start, MemorySegment to, long at, long n) {
    int bits = weight.bits();
    int mask = (1 << bits) - 1;
    IntVector shifts = SHIFTS[bits];
    // The last words of the stream would be read beyond its end.
    long whole = (codes.byteSize() - Integer.BYTES) / bits * EIGHT;
    long i = start;
    for (; i < start + n && i % EIGHT != 0; i++) {
      VectorMath.set(to, at + i - start, weight.code(i));
    }
    for (; i + EIGHT <= start + n && i <= whole; i += EIGHT) {
      IntVector word = IntVector.broadcast(IntVector.SPECIES_256, codes.get(INT, i / EIGHT * bits));
      store(word.lanewise(VectorOperators.LSHR, shifts).and(mask), to, at + i - start);
    }
    for (; i < start + n; i++) {
      VectorMath.set(to, at + i - start, weight.code(i));
    }
  }

  private static void store(IntVector values, MemorySegment to, long at) {
    FloatVector floats =
        (FloatVector) values.convertShape(VectorOperators.I2F, FloatVector.SPECIES_256, 0);
    floats.intoMemorySegment(to, at * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
  }

  /** Runs of elements of one group. */
  private void scaleAlongInputs(long start, MemorySegment to, long at, long n) {
    int size = weight.groups().size();
    for (long i = start; i < start + n; ) {
      long g = i / size;
      long until = Math.min(start + n, (g + 1) * size);
      scale(to, at + i - start, until - i, weight.zeros().get(g), weight.scales().get(g));
      i = until;
    }
  }

  private static void scale(MemorySegment to, long at, long n, float zero, float scale) {
    long end = at + n;
    long i = at;
    for (; i + LANES <= end; i += LANES) {
      VectorMath.store(VectorMath.load(to, i).sub(zero).mul(scale), to, i);
    }
    for (; i < end; i++) {
      VectorMath.set(to, i, (VectorMath.get(to, i) - zero) * scale);
    }
  }

  /** Runs of elements of neighbouring groups. */
  private void scaleAlongOutputs(long start, MemorySegment to, long at, long n) {
    for (long i = start; i < start + n; ) {
      long g = i % groups;
      long until = Math.min(start + n, i + groups - g);
      long first = at + i - start;
      long k = 0;
      for (; k + EIGHT <= until - i; k += EIGHT) {
        FloatVector zeros = eight(weight.zeros(), g + k);
        FloatVector scales = eight(weight.scales(), g + k);
        long offset = (first + k) * Float.BYTES;
        FloatVector.fromMemorySegment(FloatVector.SPECIES_256, to, offset, ByteOrder.LITTLE_ENDIAN)
            .sub(zeros)
            .mul(scales)
            .intoMemorySegment(to, offset, ByteOrder.LITTLE_ENDIAN);
      }
      for (; k < until - i; k++) {
        float code = VectorMath.get(to, first + k);
        VectorMath.set(
            to, first + k, (code - weight.zeros().get(g + k)) * weight.scales().get(g + k));
      }
      i = until;
    }
  }

  /** Numbers {@code g} and on. */
  private static FloatVector eight(Numbers numbers, long g) {
    if (numbers instanceof Numbers.Plain(var values)) {
      return switch (values.dtype()) {
        case F32 ->
            FloatVector.fromMemorySegment(
                FloatVector.SPECIES_256, values.memory(), g * 4, ByteOrder.LITTLE_ENDIAN);
        case F16 -> EightHalves.ofF16(values.memory(), g);
        case BF16 -> EightHalves.ofBf16(values.memory(), g);
        default -> oneByOne(numbers, g);
      };
    }
    Numbers.Quantized q = (Numbers.Quantized) numbers;
    if (q.scales().elements() != 1) {
      return oneByOne(numbers, g);
    }
    float zero = q.zeros().memory().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
    float scale = q.scales().memory().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
    ByteVector bytes =
        ByteVector.fromMemorySegment(
            ByteVector.SPECIES_64, q.codes().memory(), g, ByteOrder.LITTLE_ENDIAN);
    IntVector ints =
        (IntVector) bytes.convertShape(VectorOperators.ZERO_EXTEND_B2I, IntVector.SPECIES_256, 0);
    return ((FloatVector) ints.convertShape(VectorOperators.I2F, FloatVector.SPECIES_256, 0))
        .sub(zero)
        .mul(scale);
  }

  private static FloatVector oneByOne(Numbers numbers, long g) {
    FloatVector all = FloatVector.zero(FloatVector.SPECIES_256);
    for (int lane = 0; lane < EIGHT; lane++) {
      all = all.withLane(lane, numbers.get(g + lane));
    }
    return all;
  }
}
