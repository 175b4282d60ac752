package dev.nibble.compute.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.kernels.Quantized.Scales;
import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
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
  private final Scope scope = Scope.open("test", Memory.host(), Scope.UNLIMITED);
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void close() {
    arena.close();
    scope.close();
  }

  @ParameterizedTest
  @CsvSource({
    "64, 64, false, 0, 32",
    "64, 64, true, 3, 64",
    "192, 64, true, 0, 192",
    "320, 128, true, 7, 96",
    "256, 256, false, 1, 160"
  })
  void straight(int cols, int block, boolean nested, int row, int k) {
    Quantized q = quantized(cols, block, nested);
    var way = Bf16Matrix.of(q);
    var rowByRow = new Bf16Matrix("w", ROWS, cols, new Bf16Dequantizer(q));
    for (int col = 0; col < cols; col += MatMul.PANEL) {
      MemorySegment expected = pack(rowByRow, row, k, col);
      MemorySegment actual = pack(way, row, k, col);
      assertEquals(-1, expected.mismatch(actual), "first byte that differs, column " + col);
    }
  }

  /** A panel, and as much behind it, which stays as it was. */
  private MemorySegment pack(Bf16Matrix w, int row, int k, int col) {
    MemorySegment panel = arena.allocate(2 * 2 * MatMul.elements(k, MatMul.PANEL), 64);
    MemorySegment stage = arena.allocate(PanelPacker.STAGE_BYTES, 64);
    panel.fill(POISON);
    stage.fill(POISON);
    PanelPacker.straight(panel, w, row, k, col, MatMul.PANEL, stage);
    return panel;
  }

  private Quantized quantized(int cols, int block, boolean nested) {
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
    return new Quantized(codes, codebook, scales, ROWS, cols, block);
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
