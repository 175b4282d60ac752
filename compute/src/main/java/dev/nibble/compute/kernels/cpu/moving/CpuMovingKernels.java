package dev.nibble.compute.kernels.cpu.moving;

import dev.nibble.compute.kernels.MovingKernels;
import dev.nibble.compute.kernels.cpu.work.Arguments;
import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import dev.nibble.compute.kernels.cpu.work.Workers;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;

/** Filling, copying and converting tensors, and gathering rows or columns. */
public final class CpuMovingKernels implements MovingKernels {
  private static final long GRAIN = 1 << 15;

  /** Bytes of the pattern that {@link #fill} repeats: a part of the L1 cache. */
  private static final long PATTERN = 1 << 13;

  private final Workers workers;
  private final ParallelLoops loops;

  /** Kernels on these workers. */
  public CpuMovingKernels(Workers workers, ParallelLoops loops) {
    this.workers = workers;
    this.loops = loops;
  }

  @Override
  public void fill(Tensor out, double value) {
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

  @Override
  public void copy(Tensor out, Tensor in) {
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

  // ---- rows ----

  @Override
  public void gatherRowsForward(Tensor out, Tensor table, Tensor rows) {
    long cols = out.cols();
    loops.rows(
        rows.elements(),
        cols,
        (f, n) -> move(f, out, n * cols, table, Arguments.row(table, rows, n) * cols, cols));
  }

  /** out[to + i] = in[from + i]. */
  private static void move(WorkerArena f, Tensor out, long to, Tensor in, long from, long n) {
    if (out.dtype() == in.dtype()) {
      long size = in.dtype().bytes();
      MemorySegment.copy(in.memory(), from * size, out.memory(), to * size, n * size);
    } else if (out.dtype() == DType.F32) {
      Conversion.widen(in, from, out.memory(), to, n);
    } else {
      f.store(f.read(in, from, n), out, to);
    }
  }

  @Override
  public void gatherRowsBackward(Tensor dtable, Tensor dout, Tensor rows) {
    long[] order = byRow(dtable, rows);
    long cols = dout.cols();
    loops.columns(
        cols,
        64,
        (f, first, n) -> {
          // The gradients of one row are summed before they are rounded.
          for (int i = 0; i < order.length; ) {
            f.release(0);
            long row = order[i] >>> 32;
            MemorySegment sum = f.read(dtable, row * cols + first, n);
            long mark = f.mark();
            for (; i < order.length && order[i] >>> 32 == row; i++) {
              f.release(mark);
              long token = order[i] & 0xffffffffL;
              VectorMath.add(sum, f.read(dout, token * cols + first, n), n);
            }
            f.store(sum, dtable, row * cols + first);
          }
        });
  }

  /** A row in the high half and the token that chose it in the low half, ascending. */
  private static long[] byRow(Tensor table, Tensor rows) {
    long[] order = new long[Math.toIntExact(rows.elements())];
    for (int n = 0; n < order.length; n++) {
      order[n] = Arguments.row(table, rows, n) << 32 | n;
    }
    Arrays.sort(order);
    return order;
  }

  // ---- columns ----

  @Override
  public void columnsForward(Tensor out, Tensor x, long from) {
    checkColumns(x, out, from);
    long width = out.cols();
    long cols = x.cols();
    loops.rows(out.rows(), width, (f, n) -> move(f, out, n * width, x, n * cols + from, width));
  }

  @Override
  public void columnsBackward(Tensor dx, Tensor dout, long from) {
    checkColumns(dx, dout, from);
    long width = dout.cols();
    long cols = dx.cols();
    loops.rows(
        dout.rows(),
        width,
        (f, n) -> {
          MemorySegment da = f.read(dx, n * cols + from, width);
          VectorMath.add(da, f.read(dout, n * width, width), width);
          f.store(da, dx, n * cols + from);
        });
  }

  /** Columns beyond the end of a row would silently read the next row. */
  private static void checkColumns(Tensor whole, Tensor part, long from) {
    Arguments.requireActivations("columns", whole, part);
    if (whole.rows() != part.rows() || from < 0 || from + part.cols() > whole.cols()) {
      throw new IllegalArgumentException(
          "columns %d to %d of %s do not fit %s".formatted(from, from + part.cols(), whole, part));
    }
  }

  @Override
  public void gatherColumnsForward(Tensor out, Tensor table, Tensor columns) {
    long rank = out.cols();
    long width = table.cols();
    loops.rows(
        columns.elements(),
        rank,
        (f, n) -> {
          long column = column(columns, n, width);
          MemorySegment y = f.write(out, n * rank, rank);
          for (long k = 0; k < rank; k++) {
            VectorMath.set(y, k, VectorMath.get(table.memory(), k * width + column));
          }
          f.store(y, out, n * rank);
        });
  }

  @Override
  public void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
    long rank = dout.cols();
    long width = dtable.cols();
    MemorySegment sums = dtable.memory();
    loops.columns(
        rank,
        1,
        (f, from, ranks) -> {
          for (long n = 0; n < columns.elements(); n++) {
            f.release(0);
            MemorySegment dy = f.read(dout, n * rank + from, ranks);
            long column = column(columns, n, width);
            for (long k = 0; k < ranks; k++) {
              long at = (from + k) * width + column;
              VectorMath.set(sums, at, VectorMath.get(sums, at) + VectorMath.get(dy, k));
            }
          }
        });
  }

  private static long column(Tensor columns, long n, long width) {
    return Objects.checkIndex((long) VectorMath.getInt(columns.memory(), n), width);
  }
}
