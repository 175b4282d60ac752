package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** What fills memory, or moves it from one dtype to another. */
final class MoveKernels {
  private static final long GRAIN = 1 << 15;

  /** Bytes that {@link #fill} makes and then copies: a share of the first cache. */
  private static final long PATTERN = 1 << 13;

  /** Weights decoded at once on the way to a 16-bit dtype. */
  private static final long STRETCH = 1 << 14;

  private final Workers workers;
  private final Scratch scratch;

  MoveKernels(Workers workers, Scratch scratch) {
    this.workers = workers;
    this.scratch = scratch;
  }

  void fill(Tensor out, double value) {
    if (out.elements() == 0) {
      return;
    }
    Tensor first = out.part(0, 1);
    if (out.dtype().isFloating()) {
      first.setFloat(0, value);
    } else {
      first.setLong(0, Math.round(value));
    }
    MemorySegment m = out.memory();
    long size = out.dtype().bytes();
    long pattern = Math.min(out.bytes(), PATTERN);
    // Each copy doubles what is filled.
    for (long filled = size; filled < pattern; filled *= 2) {
      MemorySegment.copy(m, 0, m, filled, Math.min(filled, pattern - filled));
    }
    workers.split(
        out.bytes() - pattern,
        GRAIN,
        (worker, from, to) -> {
          // Chunks may start at any byte, the pattern repeats after each element.
          for (long at = pattern + from; at < pattern + to; ) {
            long phase = at % size;
            long n = Math.min(pattern - phase, pattern + to - at);
            MemorySegment.copy(m, phase, m, at, n);
            at += n;
          }
        });
  }

  void copy(Tensor out, Tensor in) {
    if (out.elements() != in.elements()) {
      throw new IllegalArgumentException("cannot copy %s to %s".formatted(in, out));
    }
    DType to = out.dtype();
    DType from = in.dtype();
    workers.split(
        out.elements(),
        GRAIN,
        (worker, first, last) -> {
          long n = last - first;
          if (to == from) {
            long size = to.bytes();
            MemorySegment.copy(in.memory(), first * size, out.memory(), first * size, n * size);
          } else if (to == DType.F32 && Conversion.isFloat32OrHalf(from)) {
            Conversion.widen(in, first, out.memory(), first, n);
          } else if (from == DType.F32 && Conversion.isFloat32OrHalf(to)) {
            Conversion.narrow(in.memory(), first, out, first, n);
          } else {
            for (long i = first; i < last; i++) {
              convert(out, in, i);
            }
          }
        });
  }

  private static void convert(Tensor out, Tensor in, long i) {
    if (out.dtype().isFloating()) {
      out.setFloat(i, in.getDouble(i));
    } else {
      out.setLong(i, in.dtype().isFloating() ? Math.round(in.getDouble(i)) : in.getLong(i));
    }
  }

  void dequantize(Tensor out, Quantized in) {
    if (out.elements() != in.elements() || !Conversion.isFloat32OrHalf(out.dtype())) {
      throw new IllegalArgumentException(
          "%s: expected F32, BF16 or F16 with %d elements".formatted(out, in.elements()));
    }
    workers.split(
        in.elements(),
        GRAIN,
        (worker, first, last) -> {
          if (out.dtype() == DType.F32) {
            Dequantizer.decode(in, first, out.memory(), first, last - first);
            return;
          }
          MemorySegment stretch = scratch.of(worker);
          for (long from = first; from < last; from += STRETCH) {
            long n = Math.min(STRETCH, last - from);
            Dequantizer.decode(in, from, stretch, 0, n);
            Conversion.narrow(stretch, 0, out, from, n);
          }
        });
  }
}
