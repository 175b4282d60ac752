package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import dev.nibble.compute.kernels.cpu.work.UncheckedMemory;
import dev.nibble.compute.weights.Codebook;
import java.lang.foreign.MemorySegment;

/**
 * Panels of 4-bit weights on processors with AVX-512. What lies in whole panels and lines goes from
 * codes to panels without a row in between, the rest row by row.
 */
final class FourBitPanels implements Panels {
  /** Columns whose codes fill a line of the cache. */
  static final int LINE = 2 * UncheckedMemory.VECTOR_BYTES;

  private final PackFourBit straight;
  private final PackFourBitTransposed transposed;
  private final RowPanels others;

  FourBitPanels(FourBitBf16Decoder weight, RowPanels others) {
    long cols = others.matrix().cols();
    straight = new PackFourBit(weight, cols);
    transposed = new PackFourBitTransposed(weight, cols);
    this.others = others;
  }

  /** Whether rows are whole lines, and a row's part of a panel always lies in one block. */
  static boolean fits(Codebook q) {
    return FourBitBf16Decoder.fits(q) && q.cols() % LINE == 0 && q.block() % MatMul.PANEL == 0;
  }

  @Override
  public Bf16Matrix matrix() {
    return others.matrix();
  }

  @Override
  public void transposed(
      MemorySegment panels, long row, int n, long col, int k, MemorySegment stage) {
    int whole = k % LINE == 0 && col % MatMul.PANEL == 0 ? n - n % MatMul.PANEL : 0;
    for (int j = 0; j < whole; j += MatMul.PANEL) {
      long panel = panels.address() + j / MatMul.PANEL * Panels.bytes(k);
      transposed.panel(panel, row + j, col, k, stage.address());
    }
    if (whole < n) {
      MemorySegment rest = panels.asSlice(whole / MatMul.PANEL * Panels.bytes(k));
      others.transposed(rest, row + whole, n - whole, col, k, stage);
    }
  }

  @Override
  public void straight(
      MemorySegment panels, long row, int k, long col, int n, MemorySegment stage) {
    if (k % MatMul.STEP == 0 && col % MatMul.PANEL == 0 && n % MatMul.PANEL == 0) {
      straight.panels(panels.address(), row, k, col, n, stage.address());
    } else {
      others.straight(panels, row, k, col, n, stage);
    }
  }
}
