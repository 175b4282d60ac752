package dev.nibble.compute.kernels.cpu.products;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.I;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.INT;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;

import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Numbers;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Decoder of {@link Affine} matrices to float32: codes become floats, eight at a time, and these
 * are shifted and scaled where they lie, in runs of a group or of neighbouring groups.
 */
final class AffineDecoder implements FrozenTiles {
  private static final int EIGHT = 8;

  /** As many bytes as there are floats in a vector: of eight or sixteen. */
  private static final VectorSpecies<Byte> BYTES =
      LANES == EIGHT ? ByteVector.SPECIES_64 : ByteVector.SPECIES_128;

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

  /** The group of each input, where the weight has an index. */
  private final int[] index;

  /** Reads a weight that {@link #fits}. */
  AffineDecoder(Affine weight) {
    this.weight = weight;
    codes = weight.codes().memory();
    groups = weight.scales().count();
    index = weight.index().map(Tensor::toInts).orElse(new int[0]);
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
    if (weight.index().isPresent()) {
      scaleByIndex(start, to, at, n);
    } else if (weight.groups().axis() == Groups.Axis.INPUTS) {
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
    long whole = Math.floorDiv(codes.byteSize() - Integer.BYTES, (long) bits) * EIGHT;
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

  /** Row by row: its numbers are widened once, and gathered by the index. */
  private void scaleByIndex(long start, MemorySegment to, long at, long n) {
    long cols = weight.cols();
    int each = (int) (cols / weight.groups().size());
    float[] zeros = new float[each];
    float[] scales = new float[each];
    for (long i = start; i < start + n; ) {
      long row = i / cols;
      long until = Math.min(start + n, (row + 1) * cols);
      for (int g = 0; g < each; g++) {
        zeros[g] = weight.zeros().get(row * each + g);
        scales[g] = weight.scales().get(row * each + g);
      }
      int input = (int) (i - row * cols);
      int end = (int) (until - row * cols);
      long first = at + i - start - input;
      for (; input + LANES <= end; input += LANES) {
        FloatVector zero = FloatVector.fromArray(F, zeros, 0, index, input);
        FloatVector scale = FloatVector.fromArray(F, scales, 0, index, input);
        FloatVector code = VectorMath.load(to, first + input);
        VectorMath.store(code.sub(zero).mul(scale), to, first + input);
      }
      for (; input < end; input++) {
        float code = VectorMath.get(to, first + input);
        VectorMath.set(to, first + input, (code - zeros[index[input]]) * scales[index[input]]);
      }
      i = until;
    }
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
      for (; k + LANES <= until - i; k += LANES) {
        FloatVector codes = VectorMath.load(to, first + k);
        FloatVector zeros = numbers(weight.zeros(), g + k);
        VectorMath.store(codes.sub(zeros).mul(numbers(weight.scales(), g + k)), to, first + k);
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
  private static FloatVector numbers(Numbers numbers, long g) {
    return switch (numbers) {
      case Numbers.Plain(Tensor values) when values.dtype().isFloating() ->
          Conversion.load(values, g);
      case Numbers.Quantized q when q.scales().elements() == 1 -> ofOnePair(q, g);
      default -> oneByOne(numbers, g);
    };
  }

  private static FloatVector ofOnePair(Numbers.Quantized q, long g) {
    ByteVector codes =
        ByteVector.fromMemorySegment(BYTES, q.codes().memory(), g, ByteOrder.LITTLE_ENDIAN);
    IntVector ints = (IntVector) codes.convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
    return ((FloatVector) ints.convertShape(VectorOperators.I2F, F, 0))
        .sub(VectorMath.get(q.zeros().memory(), 0))
        .mul(VectorMath.get(q.scales().memory(), 0));
  }

  private static FloatVector oneByOne(Numbers numbers, long g) {
    FloatVector all = FloatVector.zero(F);
    for (int lane = 0; lane < LANES; lane++) {
      all = all.withLane(lane, numbers.get(g + lane));
    }
    return all;
  }
}
