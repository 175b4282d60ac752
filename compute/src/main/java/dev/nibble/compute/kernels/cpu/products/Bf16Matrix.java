package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.kernels.cpu.work.UncheckedMemory;
import dev.nibble.compute.tensor.Tensor;
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

  static Bf16Matrix of(Tensor t) {
    return new Bf16Matrix(
        t,
        t.rows(),
        t.cols(),
        switch (t.dtype()) {
          case BF16 -> {
            long from = t.memory().address();
            yield (start, to, n, floats) -> UncheckedMemory.copyShorts(from + 2 * start, to, n);
          }
          case F32 ->
              (start, to, n, floats) ->
                  Conversion.narrowBf16(t.memory(), start, UncheckedMemory.ALL, to / 2, n);
          default ->
              (start, to, n, floats) -> {
                Conversion.widen(t, start, floats, 0, n);
                Conversion.narrowBf16(floats, 0, UncheckedMemory.ALL, to / 2, n);
              };
        });
  }

  static Bf16Matrix of(Quantized q) {
    return new Bf16Matrix(q.codes(), q.rows(), q.cols(), source(q));
  }

  private static Source source(Quantized q) {
    if (Bf16Dequantizer.fits(q)) {
      return new Bf16Dequantizer(q);
    }
    return (start, to, n, floats) -> {
      Dequantizer.decode(q, start, floats, 0, n);
      Conversion.narrowBf16(floats, 0, UncheckedMemory.ALL, to / 2, n);
    };
  }

  /** Writes {@code n} elements of a row from column {@code col} on to an address. */
  void read(long row, long col, long to, int n, MemorySegment floats) {
    source.read(row * cols + col, to, n, floats);
  }
}
