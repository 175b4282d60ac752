package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.function.IntUnaryOperator;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Lays rows of 4-bit codes out as panels of a right factor, see {@link MatMul}, two rows at a time
 * and in registers: the 16 values of the one and the 16 of the other are one table. On processors
 * with AVX-512.
 */
final class FourBitPanels implements Bf16Matrix.Source {
  // Rows whose codes and scales are fetched before any is decoded. Each lies in lines of its own,
  // often in no cache; a loop that does nothing else waits for many of them at once.
  private static final int AHEAD = 64;
  private static final int HALF = MatMul.PANEL / 2; // columns that are decoded at once
  private static final int HALF_BYTES = HALF / 2;
  private static final long LINE = 2L * 2 * HALF; // bytes of a pair of rows' halves

  // The stage: codes of two rows' halves by turns, then of each row its scale, then its 16 values.
  private static final long SCALES = 2L * HALF_BYTES * AHEAD;
  private static final long TABLES = SCALES + 4L * AHEAD;
  private static final long TABLE_BYTES = 2L * 16;

  private static final ShortVector SECOND_TABLE = lanes(j -> j < HALF_BYTES ? 0 : 16);
  // Of columns 0 to 15 and 16 to 31 of two rows. Lanes of the first vector are the first row's even
  // columns and the second row's, of the second vector the odd ones.
  private static final ShortVector FIRST = lanes(j -> lane(j / 2, j % 2));
  private static final ShortVector LAST = lanes(j -> lane(HALF / 2 + j / 2, j % 2));

  private final Bf16Dequantizer weight;
  private final long cols;

  FourBitPanels(Bf16Dequantizer weight, long cols) {
    this.weight = weight;
    this.cols = cols;
  }

  /** Whether a row's part of a panel always lies in one block. */
  static boolean fits(Quantized q) {
    return Bf16Dequantizer.fits(q) && q.cols() % MatMul.PANEL == 0 && q.block() % MatMul.PANEL == 0;
  }

  @Override
  public void read(long start, long to, int n, MemorySegment floats) {
    weight.read(start, to, n, floats);
  }

  /**
   * The panel of B = W: B(i, j) = w[row + i, col + j] for i below k, and for all its j.
   *
   * @param k even
   * @param col a multiple of {@link MatMul#PANEL}
   */
  void straight(long panel, long row, int k, long col, long stage) {
    long to = panel;
    for (int from = 0; from < k; from += AHEAD) {
      int rows = Math.min(AHEAD, k - from);
      fetch((row + from) * cols + col, rows, stage);
      scale(rows, stage);
      decode(rows, stage, to);
      to += LINE * rows;
    }
  }

  private void fetch(long start, int rows, long stage) {
    long at = start;
    for (int r = 0; r < rows; r++) {
      long from = weight.address(at);
      long to = stage + 2L * HALF_BYTES * (r & ~1) + (long) HALF_BYTES * (r & 1);
      move(from, to);
      move(from + HALF_BYTES, to + 2 * HALF_BYTES);
      Raw.setFloat(stage + SCALES + 4L * r, weight.scaleAt(at));
      at += cols;
    }
  }

  private static void move(long from, long to) {
    ByteVector.fromMemorySegment(ByteVector.SPECIES_128, Raw.ALL, from, ByteOrder.LITTLE_ENDIAN)
        .intoMemorySegment(Raw.ALL, to, ByteOrder.LITTLE_ENDIAN);
  }

  /** The values of each row: its scale times the 16 of all. */
  private void scale(int rows, long stage) {
    FloatVector values = weight.values();
    for (int r = 0; r < rows; r++) {
      Bf16Dequantizer.narrow(values.mul(Raw.getFloat(stage + SCALES + 4L * r)))
          .intoMemorySegment(Raw.ALL, stage + TABLES + TABLE_BYTES * r, ByteOrder.LITTLE_ENDIAN);
    }
  }

  private static void decode(int rows, long stage, long panel) {
    // As many halves of pairs as there are rows.
    for (int h = 0; h < rows; h++) {
      ShortVector table =
          ShortVector.fromMemorySegment(
              ShortVector.SPECIES_512,
              Raw.ALL,
              stage + TABLES + TABLE_BYTES * (h & ~1),
              ByteOrder.LITTLE_ENDIAN);
      ShortVector codes =
          (ShortVector)
              ByteVector.fromMemorySegment(
                      ByteVector.SPECIES_256,
                      Raw.ALL,
                      stage + 2L * HALF_BYTES * h,
                      ByteOrder.LITTLE_ENDIAN)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2S, ShortVector.SPECIES_512, 0);
      // The code of an even column lies in the high half of its byte.
      ShortVector even = codes.lanewise(VectorOperators.LSHR, 4).or(SECOND_TABLE).selectFrom(table);
      ShortVector odd = codes.and((short) 15).or(SECOND_TABLE).selectFrom(table);
      long to = panel + LINE * h;
      FIRST.selectFrom(even, odd).intoMemorySegment(Raw.ALL, to, ByteOrder.LITTLE_ENDIAN);
      LAST.selectFrom(even, odd).intoMemorySegment(Raw.ALL, to + LINE / 2, ByteOrder.LITTLE_ENDIAN);
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
}
