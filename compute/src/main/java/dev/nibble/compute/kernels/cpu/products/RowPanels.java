package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import dev.nibble.compute.kernels.cpu.work.UncheckedMemory;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Panels of any matrix, which is read row by row into the stage first; on processors with AVX-512.
 */
record RowPanels(Bf16Matrix matrix) implements Panels {
  private static final int GROUP = Transpose16x16.SIZE; // rows that are turned at once
  // Bytes from one staged row to the next, spread over the cache's sets.
  private static final long STRIDE = 2L * Bf16Matrix.LONGEST + UncheckedMemory.VECTOR_BYTES;
  private static final long TURNED = GROUP * STRIDE; // where the half-turned square lies
  private static final long FLOATS = TURNED + Transpose16x16.SQUARE_BYTES;
  private static final long ROW_BYTES = 2L * MatMul.PANEL;

  private static final IntVector FIRST = byTurns(0);
  private static final IntVector LAST = byTurns(GROUP / 2);

  @Override
  public void transposed(
      MemorySegment panels, long row, int n, long col, int k, MemorySegment stage) {
    long to = panels.address();
    for (int j = 0; j < n; j += MatMul.PANEL) {
      transposedPanel(to, row + j, Math.min(MatMul.PANEL, n - j), col, k, stage);
      to += Panels.bytes(k);
    }
  }

  private void transposedPanel(long to, long row, int n, long col, int k, MemorySegment stage) {
    MemorySegment floats = stage.asSlice(FLOATS);
    long staged = stage.address();
    for (int from = 0; from < k; from += Bf16Matrix.LONGEST) {
      int length = Math.min(Bf16Matrix.LONGEST, k - from);
      int steps = Math.ceilDiv(length, MatMul.STEP);
      for (int group = 0; group < n; group += GROUP) {
        for (int r = 0; r < GROUP; r++) {
          long line = staged + STRIDE * r;
          int read = group + r < n ? length : 0;
          if (read > 0) {
            matrix.read(row + group + r, col + from, line, read, floats);
          }
          UncheckedMemory.zeroShorts(line + 2L * read, steps * MatMul.STEP - read);
        }
        for (int s = 0; s < steps; s++) {
          long at = (long) MatMul.PANEL * (from + MatMul.STEP * s) + 2L * group;
          Transpose16x16.turn(
              staged + 2L * MatMul.STEP * s, STRIDE, staged + TURNED, to + 2 * at, PAIR_BYTES);
        }
      }
    }
  }

  @Override
  public void straight(
      MemorySegment panels, long row, int k, long col, int n, MemorySegment stage) {
    long to = panels.address();
    for (int j = 0; j < n; j += MatMul.PANEL) {
      straightPanel(to, row, k, col + j, Math.min(MatMul.PANEL, n - j), stage);
      to += Panels.bytes(k);
    }
  }

  private void straightPanel(long panel, long row, int k, long col, int n, MemorySegment stage) {
    MemorySegment floats = stage.asSlice(FLOATS);
    long first = stage.address();
    long second = first + ROW_BYTES;
    UncheckedMemory.zeroShorts(first + 2L * n, MatMul.PANEL - n);
    UncheckedMemory.zeroShorts(second + 2L * n, MatMul.PANEL - n);
    int filled = Math.ceilDiv(k, MatMul.STEP) * MatMul.STEP;
    for (int i = 0; i < filled; i += 2) {
      read(row, i, k, col, first, n, floats);
      read(row, i + 1, k, col, second, n, floats);
      long to = panel + PAIR_BYTES * (i / 2);
      interleave(first, second, to);
      interleave(
          first + UncheckedMemory.VECTOR_BYTES,
          second + UncheckedMemory.VECTOR_BYTES,
          to + 2 * UncheckedMemory.VECTOR_BYTES);
    }
  }

  private void read(long row, int i, int k, long col, long to, int n, MemorySegment floats) {
    if (i < k) {
      matrix.read(row + i, col, to, n, floats);
    } else {
      UncheckedMemory.zeroShorts(to, n);
    }
  }

  /** 32 elements of two rows, by turns. */
  private static void interleave(long first, long second, long to) {
    IntVector a = UncheckedMemory.load(first);
    IntVector b = UncheckedMemory.load(second);
    // Of each lane's two elements: those of the even columns, then those of the odd ones.
    IntVector even = a.and(0xffff).or(b.lanewise(VectorOperators.LSHL, 16));
    IntVector odd = a.lanewise(VectorOperators.LSHR, 16).or(b.and(0xffff0000));
    UncheckedMemory.store(FIRST.selectFrom(even, odd), to);
    UncheckedMemory.store(LAST.selectFrom(even, odd), to + UncheckedMemory.VECTOR_BYTES);
  }

  private static IntVector byTurns(int from) {
    int[] lanes = new int[GROUP];
    for (int j = 0; j < GROUP; j++) {
      lanes[j] = from + j / 2 + (j % 2) * GROUP;
    }
    return IntVector.fromArray(IntVector.SPECIES_512, lanes, 0);
  }
}
