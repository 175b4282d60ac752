package dev.nibble.compute.kernels.cpu.products;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.I;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;

import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import dev.nibble.compute.kernels.cpu.work.WorkerScratch;
import dev.nibble.compute.kernels.cpu.work.Workers;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.NestedScales;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Encoder of blockwise 4-bit codebooks. Nested scales take two passes over the matrix, the first
 * for the mean of the scales.
 */
final class FourBitEncoder {
  /** What the reciprocal of an all-zero block is taken of. */
  static final float TINY = 1e-38f;

  /** Blocks that a worker takes at once when scales are not nested. */
  private static final int GROUP = 256;

  private final Workers workers;
  private final WorkerScratch scratch;

  FourBitEncoder(Workers workers, WorkerScratch scratch) {
    this.workers = workers;
    this.scratch = scratch;
  }

  /** Whether codes are of 4 bits and blocks whole bytes that a worker's scratch holds. */
  static boolean fits(Codebook out) {
    return out.bits() == 4 && out.block() % 2 == 0 && out.block() <= WorkerScratch.FLOATS / 4;
  }

  /** Encodes a matrix that {@link #fits}. */
  void encode(Codebook out, Tensor in) {
    long blocks = out.blocks();
    Blocks all = new Blocks(out, in, new Midpoints(out.codebook()), scratch);
    float[] scales = new float[Math.toIntExact(blocks)];
    switch (out.scales()) {
      case Codebook.Scales.Plain p ->
          workers.each(
              (blocks + GROUP - 1) / GROUP,
              (worker, from, to) -> {
                for (long group = from; group < to; group++) {
                  long first = group * GROUP;
                  long last = Math.min(blocks, first + GROUP);
                  all.measure(worker, first, last, scales);
                  all.encode(worker, first, last, scales);
                  for (long b = first; b < last; b++) {
                    VectorMath.set(p.absmax().memory(), b, scales[(int) b]);
                  }
                }
              });
      case Codebook.Scales.Nested d -> {
        workers.split(blocks, GROUP, (worker, from, to) -> all.measure(worker, from, to, scales));
        float offset = NestedScales.offset(scales);
        VectorMath.set(d.offset().memory(), 0, offset);
        byte[] codeOfBin = NestedScales.codeOfBin(d.codebook().toFloats());
        workers.each(
            (blocks + d.block() - 1) / d.block(),
            (worker, from, to) -> {
              for (long group = from; group < to; group++) {
                long first = group * d.block();
                long last = Math.min(blocks, first + d.block());
                all.encode(worker, first, last, scales);
                encodeScales(scales, offset, (int) first, (int) last, codeOfBin, d);
              }
            });
      }
    }
  }

  private static void encodeScales(
      float[] scales,
      float offset,
      int first,
      int last,
      byte[] codeOfBin,
      Codebook.Scales.Nested out) {
    float absmax = 0;
    for (int b = first; b < last; b++) {
      absmax = Math.max(absmax, Math.abs(scales[b] - offset));
    }
    VectorMath.set(out.absmax().memory(), first / out.block(), absmax);
    float reciprocal = absmax == 0 ? 0 : 1 / absmax;
    for (int b = first; b < last; b++) {
      int bin = NestedScales.bin((scales[b] - offset) * reciprocal);
      out.codes().memory().set(ValueLayout.JAVA_BYTE, b, codeOfBin[bin]);
    }
  }

  /** The codebook in ascending order, with the float32 midpoints between neighbours. */
  private static final class Midpoints {
    final float[] between = new float[15];
    final byte[] codes = new byte[16];

    Midpoints(Tensor codebook) {
      int[] order =
          IntStream.range(0, 16)
              .boxed()
              .sorted(Comparator.comparingDouble(i -> codebook.getFloat(i)))
              .mapToInt(i -> i)
              .toArray();
      for (int i = 0; i < 16; i++) {
        codes[i] = (byte) order[i];
        if (i > 0) {
          between[i - 1] = (codebook.getFloat(order[i - 1]) + codebook.getFloat(order[i])) / 2;
        }
      }
    }

    /** Whether the code of a value is how many midpoints are below it. */
    boolean ascend() {
      return IntStream.range(0, 16).allMatch(i -> codes[i] == i);
    }

    int codeOf(float x) {
      int below = 0;
      for (float midpoint : between) {
        below += midpoint < x ? 1 : 0;
      }
      return codes[below];
    }
  }

  /** The blocks of a matrix: whole ones many at a time where that can be, others one by one. */
  private static final class Blocks {
    private final Codebook out;
    private final Tensor in;
    private final Midpoints midpoints;
    private final WorkerScratch scratch;
    private final Optional<FourBitBlockEncoder> fast;
    private final long whole;

    Blocks(Codebook out, Tensor in, Midpoints midpoints, WorkerScratch scratch) {
      this.out = out;
      this.in = in;
      this.midpoints = midpoints;
      this.scratch = scratch;
      fast =
          midpoints.ascend()
              ? FourBitBlockEncoder.of(in, out.codes().memory(), out.block(), midpoints.between)
              : Optional.empty();
      whole = fast.isPresent() ? out.elements() / out.block() : 0;
    }

    /** scales[b] = the largest magnitude in block b. */
    void measure(int worker, long from, long to, float[] scales) {
      long end = Math.clamp(whole, from, to);
      fast.ifPresent(f -> f.measure(from, end, scales));
      if (end < to) {
        Block block = new Block(out, in, scratch.of(worker));
        for (long b = end; b < to; b++) {
          scales[(int) b] = block.load(b);
        }
      }
    }

    void encode(int worker, long from, long to, float[] scales) {
      long end = Math.clamp(whole, from, to);
      fast.ifPresent(f -> f.encode(new WorkerArena(worker, scratch.of(worker)), from, end, scales));
      if (end < to) {
        Block block = new Block(out, in, scratch.of(worker));
        for (long b = end; b < to; b++) {
          block.encode(block.load(b), midpoints);
        }
      }
    }
  }

  /** One block of the matrix, widened in a worker's scratch. */
  private static final class Block {
    private final Codebook out;
    private final Tensor in;
    private final MemorySegment values;
    private final int[] below;
    private long first;
    private int length;

    Block(Codebook out, Tensor in, MemorySegment scratch) {
      this.out = out;
      this.in = in;
      this.values = scratch.asSlice(WorkerScratch.FLOATS * 3L, WorkerScratch.FLOATS);
      this.below = new int[out.block()];
    }

    /** Widens block {@code b}; returns its largest magnitude. */
    float load(long b) {
      first = b * out.block();
      length = (int) Math.min(out.block(), out.elements() - first);
      Conversion.widen(in, first, values, 0, length);
      int end = (int) VectorMath.vectorEnd(0, length);
      FloatVector v = FloatVector.zero(F);
      int i = 0;
      for (; i < end; i += LANES) {
        v = v.max(VectorMath.load(values, i).abs());
      }
      float max = v.reduceLanes(VectorOperators.MAX);
      for (; i < length; i++) {
        max = Math.max(max, Math.abs(VectorMath.get(values, i)));
      }
      return max;
    }

    void encode(float absmax, Midpoints midpoints) {
      float divisor = Math.max(absmax, TINY);
      boolean whole = length == out.block();
      float reciprocal = 1 / divisor;
      int end = whole ? (int) VectorMath.vectorEnd(0, length) : 0;
      int i = 0;
      for (; i < end; i += LANES) {
        FloatVector x = VectorMath.load(values, i).mul(reciprocal).max(-1f).min(1f);
        IntVector count = IntVector.zero(I);
        for (int j = 0; j < 15; j++) {
          var isBelow = x.compare(VectorOperators.GT, midpoints.between[j]);
          count = count.sub(isBelow.cast(I).toVector());
        }
        count.intoArray(below, i);
      }
      MemorySegment codes = out.codes().memory();
      for (int j = 0; j < end; j += 2) {
        put(codes, j, midpoints.codes[below[j]], midpoints.codes[below[j + 1]]);
      }
      for (; i < length; i += 2) {
        // What is missing after an odd end counts as 0.
        float next = i + 1 < length ? scaled(i + 1, whole, reciprocal, divisor) : 0;
        put(
            codes,
            i,
            midpoints.codeOf(scaled(i, whole, reciprocal, divisor)),
            midpoints.codeOf(next));
      }
    }

    private float scaled(int i, boolean whole, float reciprocal, float divisor) {
      float x = VectorMath.get(values, i);
      return Math.clamp(whole ? x * reciprocal : x / divisor, -1f, 1f);
    }

    private void put(MemorySegment codes, int i, int high, int low) {
      codes.set(ValueLayout.JAVA_BYTE, (first + i) / 2, (byte) (high << 4 | low));
    }
  }
}
