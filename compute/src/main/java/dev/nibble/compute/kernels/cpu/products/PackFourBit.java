package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import dev.nibble.compute.kernels.cpu.work.UncheckedMemory;
import java.nio.ByteOrder;
import java.util.function.IntUnaryOperator;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Panels of B = W from 4-bit codes, two rows at a time and in registers: the 16 values of the one
 * and the 16 of the other are one table.
 */
final class PackFourBit {
  // Rows whose codes are fetched before any is decoded. Each lies in a line of its own, often in no
  // cache; a loop that does next to nothing else waits for many of them at once.
  private static final int AHEAD = 64;
  private static final int HALF = MatMul.PANEL / 2; // columns that are decoded at once
  private static final int HALF_BYTES = HALF / 2;
  private static final long HALF_PAIR = Panels.PAIR_BYTES / 2;

  // The stage, for each of the two panels that a line of codes belongs to: codes of two rows'
  // halves by turns, then of each row its scale, then its 16 values.
  private static final long SCALES = 2L * HALF_BYTES * AHEAD;
  private static final long TABLES = SCALES + 4L * AHEAD;
  private static final long TABLE_BYTES = 2L * 16;
  private static final long SECOND = TABLES + TABLE_BYTES * AHEAD;

  // Of the lines of two rows, the quarters of the first panel and those of the second, by turns.
  private static final IntVector FIRST_PANEL = quarters(0);
  private static final IntVector SECOND_PANEL = quarters(2);

  private static final ShortVector SECOND_TABLE = lanes(j -> j < HALF_BYTES ? 0 : 16);
  // Of columns 0 to 15 and 16 to 31 of two rows. Lanes of the first vector are the first row's even
  // columns and the second row's, of the second vector the odd ones.
  private static final ShortVector FIRST = lanes(j -> lane(j / 2, j % 2));
  private static final ShortVector LAST = lanes(j -> lane(HALF / 2 + j / 2, j % 2));

  private final FourBitBf16Decoder weight;
  private final long cols;

  PackFourBit(FourBitBf16Decoder weight, long cols) {
    this.weight = weight;
    this.cols = cols;
  }

  /**
   * B(i, j) = w[row + i, col + j] for i below k and j below n.
   *
   * @param k even
   * @param col a multiple of {@link MatMul#PANEL}, as is n
   */
  void panels(long panels, long row, int k, long col, int n, long stage) {
    long start = col - col % FourBitPanels.LINE;
    long to = panels;
    for (long line = start; line < col + n; line += FourBitPanels.LINE) {
      boolean first = line >= col;
      boolean second = line + MatMul.PANEL < col + n;
      line(to, row, k, line, first, second, stage);
      to += (first && second ? 2 : 1) * Panels.bytes(k);
    }
  }

  /** The panels of a line of codes of each row: both, or one. */
  private void line(
      long panels, long row, int k, long col, boolean first, boolean second, long stage) {
    long ofSecond = first ? panels + Panels.bytes(k) : panels;
    for (int from = 0; from < k; from += AHEAD) {
      int rows = Math.min(AHEAD, k - from);
      fetch((row + from) * cols + col, rows, stage);
      if (first) {
        decode(rows, stage, panels + HALF_PAIR * from);
      }
      if (second) {
        decode(rows, stage + SECOND, ofSecond + HALF_PAIR * from);
      }
    }
  }

  private void fetch(long start, int rows, long stage) {
    long row = cols / 2;
    long from = weight.address(start);
    for (int r = 0; r < rows; r += 2) {
      IntVector a = UncheckedMemory.load(from + row * r);
      IntVector b = UncheckedMemory.load(from + row * (r + 1));
      long to = stage + 2L * HALF_BYTES * r;
      UncheckedMemory.store(FIRST_PANEL.selectFrom(a, b), to);
      UncheckedMemory.store(SECOND_PANEL.selectFrom(a, b), to + SECOND);
    }
    long at = start;
    for (int r = 0; r < rows; r++) {
      long to = stage + SCALES + 4L * r;
      UncheckedMemory.setFloat(to, weight.scaleAt(at));
      UncheckedMemory.setFloat(to + SECOND, weight.scaleAt(at + MatMul.PANEL));
      at += cols;
    }
  }

  private void decode(int rows, long stage, long panel) {
    tables(rows, stage);
    lookUp(rows, stage, panel);
  }

  /** The values of each row: its scale times the 16 of all. */
  private void tables(int rows, long stage) {
    FloatVector values = weight.values();
    for (int r = 0; r < rows; r++) {
      FourBitBf16Decoder.narrow(values.mul(UncheckedMemory.getFloat(stage + SCALES + 4L * r)))
          .intoMemorySegment(
              UncheckedMemory.ALL, stage + TABLES + TABLE_BYTES * r, ByteOrder.LITTLE_ENDIAN);
    }
  }

  private static void lookUp(int rows, long stage, long panel) {
    // As many halves of pairs as there are rows.
    for (int h = 0; h < rows; h++) {
      ShortVector table =
          ShortVector.fromMemorySegment(
              ShortVector.SPECIES_512,
              UncheckedMemory.ALL,
              stage + TABLES + TABLE_BYTES * (h & ~1),
              ByteOrder.LITTLE_ENDIAN);
      ShortVector codes =
          (ShortVector)
              ByteVector.fromMemorySegment(
                      ByteVector.SPECIES_256,
                      UncheckedMemory.ALL,
                      stage + 2L * HALF_BYTES * h,
                      ByteOrder.LITTLE_ENDIAN)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2S, ShortVector.SPECIES_512, 0);
      // The code of an even column lies in the high half of its byte.
      ShortVector even = codes.lanewise(VectorOperators.LSHR, 4).or(SECOND_TABLE).selectFrom(table);
      ShortVector odd = codes.and((short) 15).or(SECOND_TABLE).selectFrom(table);
      long to = panel + HALF_PAIR * h;
      FIRST
          .selectFrom(even, odd)
          .intoMemorySegment(UncheckedMemory.ALL, to, ByteOrder.LITTLE_ENDIAN);
      LAST.selectFrom(even, odd)
          .intoMemorySegment(UncheckedMemory.ALL, to + HALF_PAIR / 2, ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** Where the element of a column, of the first or the second row, is found. */
  private static int lane(int col, int row) {
    return col / 2 + HALF_BYTES * row + (col % 2) * HALF;
  }

  private static ShortVector lanes(IntUnaryOperator of) {
    short[] lanes = new short[HALF];
    for (int j = 0; j < HALF; j++) {
      lanes[j] = (short) of.applyAsInt(j);
    }
    return ShortVector.fromArray(ShortVector.SPECIES_512, lanes, 0);
  }

  /** Quarters {@code from} and {@code from + 1} of two vectors: a's, b's, a's, b's. */
  private static IntVector quarters(int from) {
    int[] lanes = new int[16];
    for (int j = 0; j < lanes.length; j++) {
      int quarter = from + j / 8;
      int vector = j / 4 % 2;
      lanes[j] = 16 * vector + 4 * quarter + j % 4;
    }
    return IntVector.fromArray(IntVector.SPECIES_512, lanes, 0);
  }
}
