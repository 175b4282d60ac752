package dev.nibble.compute.kernels.cpu.products;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;

import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Groups;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Decoder of {@link Affine} matrices to float32: codes become floats, eight at a time, and these
 * are shifted and scaled where they lie, in runs of a group or of neighbouring groups.
 */
final class AffineDecoder implements FrozenTiles {
  /** Groups whose numbers are read together, along inputs and along outputs. */
  private static final int TOGETHER = 512;

  private final Affine weight;
  private final CodeStream codes;
  private final NumberDecoder scales;
  private final NumberDecoder zeros;
  private final long groups;

  /** The group of each input, where the weight has an index. */
  private final int[] index;

  /** Reads a weight that {@link #fits}. */
  AffineDecoder(Affine weight) {
    this.weight = weight;
    codes = new CodeStream(weight.codes().memory(), weight.bits(), weight.signed());
    scales = NumberDecoder.of(weight.scales());
    zeros = NumberDecoder.of(weight.zeros());
    groups = weight.scales().count();
    index = weight.index().map(Tensor::toInts).orElse(new int[0]);
  }

  /** Whether the processor has vectors of eight floats, and codes are of 1, 2, 3, 4 or 8 bits. */
  static boolean fits(Affine weight) {
    return LANES >= CodeStream.EIGHT && CodeStream.fits(weight.bits());
  }

  @Override
  public void read(long start, MemorySegment to, long at, long n) {
    widen(start, to, at, n);
    if (weight.index().isPresent()) {
      scaleByIndex(start, to, at, n);
    } else if (weight.groups().axis() == Groups.Axis.INPUTS) {
      scaleAlongInputs(start, to, at, n);
    } else {
      scaleAlongOutputs(start, to, at, n);
    }
  }

  private void widen(long start, MemorySegment to, long at, long n) {
    long i = start;
    for (; i < start + n && i % CodeStream.EIGHT != 0; i++) {
      VectorMath.set(to, at + i - start, codes.one(i));
    }
    for (; i + CodeStream.EIGHT <= start + n && codes.hasEight(i); i += CodeStream.EIGHT) {
      FloatVector floats =
          (FloatVector)
              codes.eight(i).convertShape(VectorOperators.I2F, FloatVector.SPECIES_256, 0);
      floats.intoMemorySegment(to, (at + i - start) * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
    }
    for (; i < start + n; i++) {
      VectorMath.set(to, at + i - start, codes.one(i));
    }
  }

  /** Row by row: its numbers are gathered by the index. */
  private void scaleByIndex(long start, MemorySegment to, long at, long n) {
    long cols = weight.cols();
    int each = (int) (cols / weight.groups().size());
    float[] zero = new float[each];
    float[] scale = new float[each];
    for (long i = start; i < start + n; ) {
      long row = i / cols;
      long until = Math.min(start + n, (row + 1) * cols);
      zeros.read(row * each, zero, each);
      scales.read(row * each, scale, each);
      int input = (int) (i - row * cols);
      int end = (int) (until - row * cols);
      long first = at + i - start - input;
      for (; input + LANES <= end; input += LANES) {
        FloatVector code = VectorMath.load(to, first + input);
        code = code.sub(FloatVector.fromArray(F, zero, 0, index, input));
        code = code.mul(FloatVector.fromArray(F, scale, 0, index, input));
        VectorMath.store(code, to, first + input);
      }
      for (; input < end; input++) {
        float code = VectorMath.get(to, first + input);
        VectorMath.set(to, first + input, (code - zero[index[input]]) * scale[index[input]]);
      }
      i = until;
    }
  }

  /** Runs of elements of one group. */
  private void scaleAlongInputs(long start, MemorySegment to, long at, long n) {
    int size = weight.groups().size();
    long end = start + n;
    int most = (int) Math.min(TOGETHER, (end - 1) / size - start / size + 1);
    float[] zero = new float[most];
    float[] scale = new float[most];
    for (long g = start / size; g * size < end; g += most) {
      int some = (int) Math.min(most, groups - g);
      zeros.read(g, zero, some);
      scales.read(g, scale, some);
      for (int k = 0; k < some && (g + k) * size < end; k++) {
        long from = Math.max(start, (g + k) * size);
        long until = Math.min(end, (g + k + 1) * size);
        scale(to, at + from - start, until - from, zero[k], scale[k]);
      }
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
    int most = (int) Math.min(TOGETHER, Math.min(n, groups));
    float[] zero = new float[most];
    float[] scale = new float[most];
    for (long i = start; i < start + n; ) {
      long g = i % groups;
      int some = (int) Math.min(most, Math.min(start + n - i, groups - g));
      zeros.read(g, zero, some);
      scales.read(g, scale, some);
      long first = at + i - start;
      int k = 0;
      for (; k + LANES <= some; k += LANES) {
        FloatVector code = VectorMath.load(to, first + k);
        code = code.sub(FloatVector.fromArray(F, zero, k));
        VectorMath.store(code.mul(FloatVector.fromArray(F, scale, k)), to, first + k);
      }
      for (; k < some; k++) {
        VectorMath.set(to, first + k, (VectorMath.get(to, first + k) - zero[k]) * scale[k]);
      }
      i += some;
    }
  }
}
