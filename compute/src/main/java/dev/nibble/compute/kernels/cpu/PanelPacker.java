package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Lays parts of a matrix out as the panel of a right factor, see {@link MatMul}, on processors with
 * AVX-512. What is read goes through a few KB of stage, which stay in the first cache level.
 */
final class PanelPacker {
  /** Bytes of stage that a worker needs. */
  static final int STAGE_BYTES = 1 << 16;

  private static final int GROUP = 16; // rows that are turned at once
  // Bytes from one staged row to the next, spread over the cache's sets.
  private static final long STRIDE = 2L * Bf16Matrix.LONGEST + Raw.VECTOR_BYTES;
  private static final long TURNED = GROUP * STRIDE; // where the half-turned square lies
  private static final long SQUARE_LINE = Raw.VECTOR_BYTES;
  private static final long FLOATS = TURNED + GROUP * SQUARE_LINE;
  private static final long ROW_BYTES = 2L * MatMul.PANEL;
  private static final long PAIR_LINE = 4L * MatMul.PANEL; // bytes from one pair to the next

  private static final IntVector LOW_8 = lowLanes(8);
  private static final IntVector LOW_4 = lowLanes(4);
  private static final IntVector LOW_2 = lowLanes(2);
  private static final IntVector LOW_1 = lowLanes(1);
  private static final IntVector HIGH_8 = highLanes(8);
  private static final IntVector HIGH_4 = highLanes(4);
  private static final IntVector HIGH_2 = highLanes(2);
  private static final IntVector HIGH_1 = highLanes(1);
  private static final IntVector FIRST = byTurns(0);
  private static final IntVector LAST = byTurns(GROUP / 2);

  private PanelPacker() {}

  /** Lanes of two squares of a matrix that is turned by exchanging squares of this size. */
  private static IntVector lowLanes(int size) {
    int[] lanes = new int[GROUP];
    for (int j = 0; j < GROUP; j++) {
      lanes[j] = (j & size) == 0 ? j : GROUP + j - size;
    }
    return IntVector.fromArray(IntVector.SPECIES_512, lanes, 0);
  }

  private static IntVector highLanes(int size) {
    int[] lanes = new int[GROUP];
    for (int j = 0; j < GROUP; j++) {
      lanes[j] = (j & size) == 0 ? j + size : GROUP + j;
    }
    return IntVector.fromArray(IntVector.SPECIES_512, lanes, 0);
  }

  /**
   * The panel of B = W^T: B(i, j) = w[row + j, col + i] for i below k and j below n. Columns from n
   * on are of any value, as no product reads them.
   *
   * @param n at most {@link MatMul#PANEL}
   */
  static void transposed(
      MemorySegment panel, Bf16Matrix w, long row, int n, long col, int k, MemorySegment stage) {
    MemorySegment floats = stage.asSlice(FLOATS);
    long to = panel.address();
    long staged = stage.address();
    for (int from = 0; from < k; from += Bf16Matrix.LONGEST) {
      int length = Math.min(Bf16Matrix.LONGEST, k - from);
      int steps = Math.ceilDiv(length, MatMul.STEP);
      for (int group = 0; group < n; group += GROUP) {
        for (int r = 0; r < GROUP; r++) {
          long line = staged + STRIDE * r;
          int read = group + r < n ? length : 0;
          if (read > 0) {
            w.read(row + group + r, col + from, line, read, floats);
          }
          Raw.zeroShorts(line + 2L * read, steps * MatMul.STEP - read);
        }
        for (int s = 0; s < steps; s++) {
          long at = (long) MatMul.PANEL * (from + MatMul.STEP * s) + 2L * group;
          turn(staged + 2L * MatMul.STEP * s, staged + TURNED, to + 2 * at);
        }
      }
    }
  }

  /** Turns 16 by 16 pairs: squares of 8 and 4 exchanged first, then those of 2 and 1. */
  private static void turn(long from, long half, long to) {
    for (int i = 0; i < 4; i++) {
      IntVector a = Raw.load(from + STRIDE * i);
      IntVector b = Raw.load(from + STRIDE * (i + 4));
      IntVector c = Raw.load(from + STRIDE * (i + 8));
      IntVector d = Raw.load(from + STRIDE * (i + 12));
      IntVector ac = LOW_8.selectFrom(a, c);
      IntVector ca = HIGH_8.selectFrom(a, c);
      IntVector bd = LOW_8.selectFrom(b, d);
      IntVector db = HIGH_8.selectFrom(b, d);
      long at = half + SQUARE_LINE * i;
      Raw.store(LOW_4.selectFrom(ac, bd), at);
      Raw.store(HIGH_4.selectFrom(ac, bd), at + SQUARE_LINE * 4);
      Raw.store(LOW_4.selectFrom(ca, db), at + SQUARE_LINE * 8);
      Raw.store(HIGH_4.selectFrom(ca, db), at + SQUARE_LINE * 12);
    }
    for (int i = 0; i < GROUP; i += 4) {
      long at = half + SQUARE_LINE * i;
      IntVector a = Raw.load(at);
      IntVector b = Raw.load(at + SQUARE_LINE);
      IntVector c = Raw.load(at + SQUARE_LINE * 2);
      IntVector d = Raw.load(at + SQUARE_LINE * 3);
      IntVector ac = LOW_2.selectFrom(a, c);
      IntVector ca = HIGH_2.selectFrom(a, c);
      IntVector bd = LOW_2.selectFrom(b, d);
      IntVector db = HIGH_2.selectFrom(b, d);
      long line = to + PAIR_LINE * i;
      Raw.store(LOW_1.selectFrom(ac, bd), line);
      Raw.store(HIGH_1.selectFrom(ac, bd), line + PAIR_LINE);
      Raw.store(LOW_1.selectFrom(ca, db), line + PAIR_LINE * 2);
      Raw.store(HIGH_1.selectFrom(ca, db), line + PAIR_LINE * 3);
    }
  }

  /**
   * The panel of B = W: B(i, j) = w[row + i, col + j] for i below k and j below n.
   *
   * @param n at most {@link MatMul#PANEL}
   */
  static void straight(
      MemorySegment panel, Bf16Matrix w, long row, int k, long col, int n, MemorySegment stage) {
    if (w.source() instanceof FourBitPanels weight && n == MatMul.PANEL && k % MatMul.STEP == 0) {
      weight.straight(panel.address(), row, k, col, stage.address());
      return;
    }
    MemorySegment floats = stage.asSlice(FLOATS);
    long first = stage.address();
    long second = first + ROW_BYTES;
    Raw.zeroShorts(first + 2L * n, MatMul.PANEL - n);
    Raw.zeroShorts(second + 2L * n, MatMul.PANEL - n);
    int filled = Math.ceilDiv(k, MatMul.STEP) * MatMul.STEP;
    for (int i = 0; i < filled; i += 2) {
      read(w, row, i, k, col, first, n, floats);
      read(w, row, i + 1, k, col, second, n, floats);
      long to = panel.address() + PAIR_LINE * (i / 2);
      interleave(first, second, to);
      interleave(first + Raw.VECTOR_BYTES, second + Raw.VECTOR_BYTES, to + 2 * Raw.VECTOR_BYTES);
    }
  }

  private static void read(
      Bf16Matrix w, long row, int i, int k, long col, long to, int n, MemorySegment floats) {
    if (i < k) {
      w.read(row + i, col, to, n, floats);
    } else {
      Raw.zeroShorts(to, n);
    }
  }

  /** 32 elements of two rows, by turns. */
  private static void interleave(long first, long second, long to) {
    IntVector a = Raw.load(first);
    IntVector b = Raw.load(second);
    // Of each lane's two elements: those of the even columns, then those of the odd ones.
    IntVector even = a.and(0xffff).or(b.lanewise(VectorOperators.LSHL, 16));
    IntVector odd = a.lanewise(VectorOperators.LSHR, 16).or(b.and(0xffff0000));
    Raw.store(FIRST.selectFrom(even, odd), to);
    Raw.store(LAST.selectFrom(even, odd), to + Raw.VECTOR_BYTES);
  }

  private static IntVector byTurns(int from) {
    int[] lanes = new int[GROUP];
    for (int j = 0; j < GROUP; j++) {
      lanes[j] = from + j / 2 + (j % 2) * GROUP;
    }
    return IntVector.fromArray(IntVector.SPECIES_512, lanes, 0);
  }
}
