package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.kernels.cpu.work.UncheckedMemory;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.TiledMatrix;
import java.lang.foreign.MemorySegment;

/**
 * A matrix that is read in bfloat16, whatever it is stored in.
 *
 * @param name for messages
 */
record Bf16Matrix(Object name, long rows, long cols, Source source) {
  /** The most elements of one {@link Source#read}. */
  static final int LONGEST = 512;

  /** The flattened elements. */
  interface Source {
    /**
     * Writes elements {@code start} and on to an address, at most {@link #LONGEST} of them.
     *
     * @param floats room for as many floats
     */
    void read(long start, long to, int n, MemorySegment floats);
  }

  static Bf16Matrix of(TiledMatrix matrix) {
    return new Bf16Matrix(matrix, matrix.rows(), matrix.cols(), source(matrix));
  }

  private static Source source(TiledMatrix matrix) {
    return switch (matrix) {
      case Dense(Tensor t) when t.dtype() == DType.BF16 -> {
        long from = t.memory().address();
        yield (start, to, n, floats) -> UncheckedMemory.copyShorts(from + 2 * start, to, n);
      }
      case Dense(Tensor t) when t.dtype() == DType.F32 ->
          (start, to, n, floats) ->
              Conversion.narrowBf16(t.memory(), start, UncheckedMemory.ALL, to / 2, n);
      case Codebook codebook when FourBitBf16Decoder.fits(codebook) ->
          new FourBitBf16Decoder(codebook);
      default -> {
        FrozenTiles tiles = FrozenTiles.of(matrix);
        yield (start, to, n, floats) -> {
          tiles.read(start, floats, 0, n);
          Conversion.narrowBf16(floats, 0, UncheckedMemory.ALL, to / 2, n);
        };
      }
    };
  }

  /** Writes {@code n} elements of a row from column {@code col} on to an address. */
  void read(long row, long col, long to, int n, MemorySegment floats) {
    source.read(row * cols + col, to, n, floats);
  }
}
