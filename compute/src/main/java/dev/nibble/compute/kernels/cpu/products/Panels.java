package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.TiledMatrix;
import java.lang.foreign.MemorySegment;

/**
 * Lays parts of a matrix out as a right factor B [k, n], panel behind panel, see {@link MatMul}.
 */
public interface Panels {
  /** Bytes of stage that a worker needs; some tens of KB, which stay in its caches. */
  int STAGE_BYTES = 1 << 16;

  /** Bytes from one pair of a panel's rows to the next. */
  long PAIR_BYTES = 2L * 2 * MatMul.PANEL;

  /** The matrix w. */
  Bf16Matrix matrix();

  /**
   * B = W^T: B(i, j) = w[row + j, col + i] for i below k and j below n. Columns of the last panel
   * from n on are of any value, as no product reads them.
   */
  void transposed(MemorySegment panels, long row, int n, long col, int k, MemorySegment stage);

  /** B = W: B(i, j) = w[row + i, col + j] for i below k and j below n; columns from n on are 0. */
  void straight(MemorySegment panels, long row, int k, long col, int n, MemorySegment stage);

  /** Bytes of a panel of k rows. */
  static long bytes(int k) {
    return 2 * MatMul.elements(k, MatMul.PANEL);
  }

  /** Of a tensor's rows. */
  static Panels of(Tensor rows) {
    return of(new Dense(rows));
  }

  /** Of a weight, the fastest that fits it. */
  static Panels of(TiledMatrix matrix) {
    var rows = new RowPanels(Bf16Matrix.of(matrix));
    return matrix instanceof Codebook codebook && FourBitPanels.fits(codebook)
        ? new FourBitPanels(new FourBitBf16Decoder(codebook), rows)
        : rows;
  }
}
