package dev.nibble.compute.kernels.cpu.products;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Codebook.Scales;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Panels of 4-bit weights are bit for bit those of the way that reads any matrix row by row. */
final class FourBitPanelsTest {
  private static final byte POISON = 0x5a;
  private static final int ROWS = 200;

  private final SplittableRandom random = new SplittableRandom(7);
  private final Scope scope = Scope.open("test", Memory.host());
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void close() {
    arena.close();
    scope.close();
  }

  @ParameterizedTest
  @CsvSource({
    // columns, block, nested, first row, rows, first column, columns
    "128, 64, false, 0, 32, 0, 128",
    "128, 64, true, 3, 64, 64, 64",
    "256, 64, true, 0, 192, 0, 64",
    "384, 128, true, 7, 96, 128, 256",
    "256, 256, false, 1, 160, 64, 192",
    "256, 64, true, 1, 31, 0, 128",
    "256, 64, true, 1, 64, 128, 100",
    "192, 64, true, 1, 64, 64, 128"
  })
  void straight(int cols, int block, boolean nested, int row, int k, int col, int n) {
    check(
        cols, block, nested, k, n, (w, panels, stage) -> w.straight(panels, row, k, col, n, stage));
  }

  @ParameterizedTest
  @CsvSource({
    // columns, block, nested, first row, rows, first column, columns
    "128, 64, false, 0, 64, 0, 128",
    "640, 64, true, 3, 128, 0, 640",
    "1280, 64, true, 64, 128, 64, 1152",
    "512, 128, true, 7, 70, 128, 384",
    "256, 256, false, 1, 40, 0, 256",
    "256, 64, true, 1, 128, 0, 96",
    "192, 64, true, 1, 64, 64, 128"
  })
  void transposed(int cols, int block, boolean nested, int row, int n, int col, int k) {
    check(
        cols,
        block,
        nested,
        k,
        n,
        (w, panels, stage) -> w.transposed(panels, row, n, col, k, stage));
  }

  private interface Pack {
    void run(Panels w, MemorySegment panels, MemorySegment stage);
  }

  private void check(int cols, int block, boolean nested, int k, int n, Pack pack) {
    Codebook q = quantized(cols, block, nested);
    var rowByRow = new RowPanels(new Bf16Matrix("w", ROWS, cols, new FourBitBf16Decoder(q)));
    MemorySegment expected = pack(rowByRow, k, n, pack);
    MemorySegment actual = pack(Panels.of(q), k, n, pack);
    assertEquals(-1, expected.mismatch(actual), "first byte that differs");
  }

  /** Panels, and as much behind them, which stays as it was. */
  private MemorySegment pack(Panels w, int k, int n, Pack pack) {
    MemorySegment panels = arena.allocate(2 * 2 * MatMul.elements(k, n), 64);
    MemorySegment stage = arena.allocate(Panels.STAGE_BYTES, 64);
    panels.fill(POISON);
    stage.fill(POISON);
    pack.run(w, panels, stage);
    return panels;
  }

  private Codebook quantized(int cols, int block, boolean nested) {
    int elements = ROWS * cols;
    int blocks = elements / block;
    Tensor codes = bytes("codes", elements / 2);
    Tensor codebook = floats("codebook", 16);
    Scales scales =
        nested
            ? new Scales.Nested(
                bytes("scales", blocks),
                floats("absmax", Math.ceilDiv(blocks, 256)),
                floats("scales' codebook", 256),
                floats("offset", 1),
                256)
            : new Scales.Plain(floats("absmax", blocks));
    return new Codebook(codes, codebook, scales, ROWS, cols, block);
  }

  private Tensor bytes(String name, int n) {
    Tensor t = scope.allocate(name, DType.U8, n);
    for (int i = 0; i < n; i++) {
      t.setLong(i, random.nextInt(256));
    }
    return t;
  }

  private Tensor floats(String name, int n) {
    Tensor t = scope.allocate(name, DType.F32, n);
    for (int i = 0; i < n; i++) {
      t.setFloat(i, (float) random.nextDouble(-1, 1));
    }
    return t;
  }
}
