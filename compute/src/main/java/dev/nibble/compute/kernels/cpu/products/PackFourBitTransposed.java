package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import dev.nibble.compute.kernels.cpu.work.UncheckedMemory;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Panels of B = W^T from 4-bit codes. The codes are turned, a quarter of the work that turning
 * their values would be, and looked up then, 16 rows of W at a time: each lane has its own scale.
 */
final class PackFourBitTransposed {
  private static final int ROWS = Transpose16x16.SIZE; // that one vector holds
  private static final int COLUMNS = 512; // of all rows of a panel, turned before any is decoded
  private static final int BLOCK = MatMul.PANEL; // columns that surely share a scale
  private static final int PAIRS = BLOCK / 2; // bytes of them in a row
  private static final int PAIRS_OF_INT = 4;

  // The stage: codes of 16 rows and COLUMNS columns, of the next 16, ...; a square; scales of 16
  // rows' blocks, block after block, of the next 16, ...
  private static final long INTS = 4L * ROWS; // bytes of a vector: a column of ints
  private static final long BLOCK_CODES = INTS * PAIRS / PAIRS_OF_INT;
  private static final long SQUARE = (long) MatMul.PANEL * COLUMNS / 2;
  private static final long SCALES = SQUARE + Transpose16x16.SQUARE_BYTES;

  private final FourBitBf16Decoder weight;
  private final long cols;

  PackFourBitTransposed(FourBitBf16Decoder weight, long cols) {
    this.weight = weight;
    this.cols = cols;
  }

  /**
   * B(i, j) = w[row + j, col + i] for i below k and all j of a panel.
   *
   * @param col a multiple of {@link MatMul#PANEL}
   * @param k a multiple of {@link FourBitPanels#LINE}
   */
  void panel(long panel, long row, long col, int k, long stage) {
    for (int from = 0; from < k; from += COLUMNS) {
      int n = Math.min(COLUMNS, k - from);
      turn(row, col + from, n, stage);
      scales(row, col + from, n, stage);
      lookUp(n, stage, panel + Panels.PAIR_BYTES * from / 2);
    }
  }

  private void turn(long row, long col, int n, long stage) {
    long to = stage;
    for (int group = 0; group < MatMul.PANEL; group += ROWS) {
      for (int c = 0; c < n; c += FourBitPanels.LINE) {
        long from = weight.address((row + group) * cols + col + c);
        Transpose16x16.turn(from, cols / 2, stage + SQUARE, to, INTS);
        to += Transpose16x16.SQUARE_BYTES;
      }
    }
  }

  private void scales(long row, long col, int n, long stage) {
    int blocks = n / BLOCK;
    for (int r = 0; r < MatMul.PANEL; r++) {
      long at = (row + r) * cols + col;
      long to = stage + SCALES + 4L * (r / ROWS * blocks * ROWS + r % ROWS);
      for (int b = 0; b < blocks; b++) {
        UncheckedMemory.setFloat(to + INTS * b, weight.scaleAt(at + (long) BLOCK * b));
      }
    }
  }

  private void lookUp(int n, long stage, long panel) {
    IntVector values = weight.values().reinterpretAsInts();
    long codes = stage;
    long scales = stage + SCALES;
    for (int group = 0; group < MatMul.PANEL; group += ROWS) {
      long to = panel + 4L * group;
      for (int c = 0; c < n; c += BLOCK) {
        block(values, scales, codes, to);
        scales += INTS;
        codes += BLOCK_CODES;
        to += Panels.PAIR_BYTES * PAIRS;
      }
    }
  }

  private static void block(IntVector values, long scales, long codes, long panel) {
    FloatVector scale =
        FloatVector.fromMemorySegment(
            FloatVector.SPECIES_512, UncheckedMemory.ALL, scales, ByteOrder.LITTLE_ENDIAN);
    for (int pair = 0; pair < PAIRS; pair++) {
      IntVector bytes =
          UncheckedMemory.load(codes + INTS * (pair / PAIRS_OF_INT))
              .lanewise(VectorOperators.LSHR, Byte.SIZE * (pair % PAIRS_OF_INT));
      // The code of an even column lies in the high half of its byte.
      IntVector even = rounded(values, bytes.lanewise(VectorOperators.LSHR, 4), scale);
      IntVector odd = rounded(values, bytes, scale);
      IntVector both = even.lanewise(VectorOperators.LSHR, 16).or(odd.and(0xffff0000));
      UncheckedMemory.store(both, panel + Panels.PAIR_BYTES * pair);
    }
  }

  /** Scaled values of codes, the low four bits of each lane; bfloat16 in the upper half. */
  private static IntVector rounded(IntVector values, IntVector codes, FloatVector scale) {
    return FourBitBf16Decoder.rounded(
        codes.and(15).selectFrom(values).reinterpretAsFloats().mul(scale));
  }
}
