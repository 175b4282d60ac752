package dev.nibble.compute.kernels.cpu.products;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.F;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;

import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Rotation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/**
 * A {@link Rotation} of each row of a tensor, to the bit as its plain code does it: butterflies
 * inside each power of two, by vectors and inside them, then rows of them mixed by the base.
 */
final class RowRotation {
  /** Rows of the base whose sums are taken together. */
  private static final int TOGETHER = 4;

  private static final int STEPS = Integer.numberOfTrailingZeros(LANES);

  /** By the step: each lane's partner, 2^step lanes away. */
  private static final VectorShuffle<?>[] PARTNERS = new VectorShuffle<?>[STEPS];

  /** By the step: 1 for the first of two partners, -1 for the second. */
  private static final FloatVector[] TURNS = new FloatVector[STEPS];

  static {
    for (int step = 0; step < STEPS; step++) {
      int half = 1 << step;
      PARTNERS[step] = VectorShuffle.fromOp(F, lane -> lane ^ half);
      float[] turns = new float[LANES];
      for (int lane = 0; lane < LANES; lane++) {
        turns[lane] = (lane & half) == 0 ? 1 : -1;
      }
      TURNS[step] = FloatVector.fromArray(F, turns, 0);
    }
  }

  private final MemorySegment signs;
  private final MemorySegment base;
  private final int n;
  private final int q;
  private final int power;
  private final float scale;

  RowRotation(Rotation rotation) {
    signs = rotation.signs().memory();
    base = rotation.base().memory();
    n = Math.toIntExact(rotation.size());
    q = Math.toIntExact(rotation.base().dim(0));
    power = Math.toIntExact(rotation.power());
    scale = (float) (1 / Math.sqrt(n));
  }

  void apply(ParallelLoops loops, Tensor out, Tensor in) {
    require(out, in);
    loops.rows(
        ParallelLoops.rowsOf(in, n),
        (long) n * q,
        (f, row) -> {
          MemorySegment x = read(f, in, row * n);
          multiply(x);
          butterflies(x);
          MemorySegment y = mixed(f, x, false);
          f.store(y, out, row * n);
        });
  }

  void undo(ParallelLoops loops, Tensor out, Tensor in) {
    require(out, in);
    loops.rows(
        ParallelLoops.rowsOf(in, n),
        (long) n * q,
        (f, row) -> {
          MemorySegment x = read(f, in, row * n);
          butterflies(x);
          MemorySegment y = mixed(f, x, true);
          multiply(y);
          f.store(y, out, row * n);
        });
  }

  private void require(Tensor out, Tensor in) {
    if (in.elements() % n != 0 || out.elements() != in.elements() || out.dtype() != in.dtype()) {
      throw new IllegalArgumentException(
          "rotate: expected rows of %d elements, got %s and %s".formatted(n, out, in));
    }
  }

  /** A copy, since an input is not changed. */
  private MemorySegment read(WorkerArena f, Tensor in, long from) {
    MemorySegment x = f.read(in, from, n);
    return in.dtype() == DType.F32 ? f.allocate(n).copyFrom(x) : x;
  }

  private void multiply(MemorySegment x) {
    for (int i = 0; i < n; i++) {
      VectorMath.set(x, i, VectorMath.get(x, i) * signs.get(ValueLayout.JAVA_BYTE, i));
    }
  }

  private void butterflies(MemorySegment x) {
    for (int half = 1; half < power; half *= 2) {
      if (half < LANES) {
        within(x, half);
      } else {
        between(x, half);
      }
    }
  }

  private void between(MemorySegment x, int half) {
    for (int from = 0; from < n; from += 2 * half) {
      for (int i = from; i < from + half; i += LANES) {
        FloatVector a = VectorMath.load(x, i);
        FloatVector b = VectorMath.load(x, i + half);
        VectorMath.store(a.add(b), x, i);
        VectorMath.store(a.sub(b), x, i + half);
      }
    }
  }

  /** Pairs that lie in one vector. A row that does not end with a vector ends with pairs. */
  private void within(MemorySegment x, int half) {
    int step = Integer.numberOfTrailingZeros(half);
    VectorShuffle<Float> partners = PARTNERS[step].cast(F);
    FloatVector turns = TURNS[step];
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      FloatVector a = VectorMath.load(x, i);
      VectorMath.store(a.mul(turns).add(a.rearrange(partners)), x, i);
    }
    for (; i < n; i += 2 * half) {
      for (int k = i; k < i + half; k++) {
        float a = VectorMath.get(x, k);
        float b = VectorMath.get(x, k + half);
        VectorMath.set(x, k, a + b);
        VectorMath.set(x, k + half, a - b);
      }
    }
  }

  /** Rows [q, power] times the base, or its transpose, and scaled. */
  private MemorySegment mixed(WorkerArena f, MemorySegment x, boolean transposed) {
    MemorySegment out = f.allocate(n);
    MemorySegment factors = f.allocate((long) TOGETHER * q);
    for (int i = 0; i < q; i += TOGETHER) {
      int some = Math.min(TOGETHER, q - i);
      for (int j = 0; j < q; j++) {
        for (int r = 0; r < TOGETHER; r++) {
          int row = i + Math.min(r, some - 1);
          long at = transposed ? (long) j * q + row : (long) row * q + j;
          VectorMath.set(factors, (long) TOGETHER * j + r, base.get(ValueLayout.JAVA_BYTE, at));
        }
      }
      int k = 0;
      for (; k + LANES <= power; k += LANES) {
        mixVectors(x, out, factors, i, some, k);
      }
      for (; k < power; k++) {
        mixOne(x, out, factors, i, some, k);
      }
    }
    return out;
  }

  private void mixVectors(
      MemorySegment x, MemorySegment out, MemorySegment factors, int i, int some, int k) {
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    for (int j = 0; j < q; j++) {
      FloatVector in = VectorMath.load(x, (long) j * power + k);
      long at = (long) TOGETHER * j;
      a = in.fma(FloatVector.broadcast(F, VectorMath.get(factors, at)), a);
      b = in.fma(FloatVector.broadcast(F, VectorMath.get(factors, at + 1)), b);
      c = in.fma(FloatVector.broadcast(F, VectorMath.get(factors, at + 2)), c);
      d = in.fma(FloatVector.broadcast(F, VectorMath.get(factors, at + 3)), d);
    }
    // Rows beyond the last are the last again, and stored before it is.
    int last = some - 1;
    VectorMath.store(d.mul(scale), out, (long) (i + Math.min(3, last)) * power + k);
    VectorMath.store(c.mul(scale), out, (long) (i + Math.min(2, last)) * power + k);
    VectorMath.store(b.mul(scale), out, (long) (i + Math.min(1, last)) * power + k);
    VectorMath.store(a.mul(scale), out, (long) i * power + k);
  }

  private void mixOne(
      MemorySegment x, MemorySegment out, MemorySegment factors, int i, int some, int k) {
    for (int r = 0; r < some; r++) {
      float sum = 0;
      for (int j = 0; j < q; j++) {
        float factor = VectorMath.get(factors, (long) TOGETHER * j + r);
        sum += factor * VectorMath.get(x, (long) j * power + k);
      }
      VectorMath.set(out, (long) (i + r) * power + k, sum * scale);
    }
  }
}
