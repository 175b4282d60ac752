package dev.nibble.compute.kernels.cuda.moving;

import dev.nibble.compute.kernels.MovingKernels;
import dev.nibble.compute.kernels.cuda.work.Arguments;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/** Filling, copying and converting tensors, and gathering rows or columns. */
public final class CudaMovingKernels implements MovingKernels {
  /** The buffer through which a tensor is converted on its way between host and device. */
  private static final long STAGING_BYTES = 4L << 20;

  private static final int ROW_THREADS = 256;
  private static final int COLUMN_THREADS = 32;

  private final Launch launch;
  private final Tensor staging;

  /** Kernels that launch on the set's stream. */
  public CudaMovingKernels(Launch launch, Scope scratch) {
    this.launch = launch;
    staging = scratch.allocate("scratch/conversion", DType.U8, STAGING_BYTES);
  }

  @Override
  public void fill(Tensor out, double value) {
    String kernel =
        switch (out.dtype().bytes()) {
          case 1 -> "fill_8";
          case 2 -> "fill_16";
          case 4 -> "fill_32";
          default -> "fill_64";
        };
    launch
        .kernel(kernel)
        .tensor(out)
        .i64(bits(out.dtype(), value))
        .i64(out.elements())
        .each(out.elements());
  }

  private static long bits(DType dtype, double value) {
    return switch (dtype) {
      case F64 -> Double.doubleToRawLongBits(value);
      case F32 -> Float.floatToRawIntBits((float) value);
      case BF16 -> Half.toBf16((float) value);
      case F16 -> Half.toF16((float) value);
      case I64, I32, I16, I8, U8, BOOL -> Math.round(value);
    };
  }

  // ---- copying ----

  @Override
  public void copy(Tensor out, Tensor in) {
    if (out.elements() != in.elements()) {
      throw new IllegalArgumentException("cannot copy %s to %s".formatted(in, out));
    }
    boolean toHost = out.device() instanceof Device.Host;
    boolean fromHost = in.device() instanceof Device.Host;
    if (out.dtype() == in.dtype()) {
      launch.copyBytes(out, in);
    } else if (toHost || fromHost) {
      throughStaging(out, in);
    } else {
      convert(out, in, out.elements());
    }
  }

  /** Converts on the device: before what goes to the host, after what comes from there. */
  private void throughStaging(Tensor out, Tensor in) {
    boolean toHost = out.device() instanceof Device.Host;
    Tensor host = toHost ? out : in;
    long most = STAGING_BYTES / host.dtype().bytes();
    for (long from = 0; from < out.elements(); from += most) {
      long n = Math.min(most, out.elements() - from);
      Tensor part =
          new Tensor(
              staging.name(),
              host.dtype(),
              host.part(from, n).shape(),
              staging.device(),
              staging.memory(),
              staging.offset());
      if (toHost) {
        convert(part, in.part(from, n), n);
        launch.copyBytes(out.part(from, n), part);
      } else {
        launch.copyBytes(part, in.part(from, n));
        convert(out.part(from, n), part, n);
      }
    }
  }

  private void convert(Tensor out, Tensor in, long n) {
    String kernel =
        switch (out.dtype()) {
          case F32 -> isHalf(in) ? "to_f32" : "";
          case BF16 -> in.dtype() == DType.F32 || in.dtype() == DType.F16 ? "to_bf16" : "";
          case F16 -> in.dtype() == DType.F32 || in.dtype() == DType.BF16 ? "to_f16" : "";
          default -> "";
        };
    if (kernel.isEmpty()) {
      launch
          .kernel("convert_any")
          .tensor(out)
          .i32(number(out.dtype()))
          .tensor(in)
          .i32(number(in.dtype()))
          .i64(n)
          .each(n);
    } else {
      launch.kernel(kernel, in.dtype()).tensor(out).tensor(in).i64(n).each(Math.ceilDiv(n, 8));
    }
  }

  private static boolean isHalf(Tensor t) {
    return t.dtype() == DType.BF16 || t.dtype() == DType.F16;
  }

  /** What moving.cu calls a dtype. */
  private static int number(DType dtype) {
    return switch (dtype) {
      case F64 -> 0;
      case F32 -> 1;
      case BF16 -> 2;
      case F16 -> 3;
      case I64 -> 4;
      case I32 -> 5;
      case I16 -> 6;
      case I8 -> 7;
      case U8 -> 8;
      case BOOL -> 9;
    };
  }

  // ---- rows and columns ----

  @Override
  public void gatherRowsForward(Tensor out, Tensor table, Tensor rows) {
    requireRows("gatherRows", table, out, rows);
    Arguments.requireActivations("gatherRows", out);
    String kernel =
        switch (table.dtype()) {
          case F32 -> "gather_rows_f32";
          case BF16 -> "gather_rows_bf16";
          case F16 -> "gather_rows_f16";
          default ->
              throw new IllegalArgumentException(
                  "gatherRows: expected a table of F32, BF16 or F16, got " + table);
        };
    launch
        .kernel(kernel, out.dtype())
        .tensor(out)
        .tensor(table)
        .tensor(rows)
        .i64(table.rows())
        .i64(table.cols())
        .moves(
            (double) out.elements() * (out.dtype().bytes() + table.dtype().bytes()) + rows.bytes())
        .blocks(rows.elements(), ROW_THREADS);
  }

  @Override
  public void gatherRowsBackward(Tensor dtable, Tensor dout, Tensor rows) {
    requireRows("gatherRows", dtable, dout, rows);
    Arguments.requireActivations("gatherRows", dout);
    if (dtable.dtype() != dout.dtype()) {
      Arguments.requireType("gatherRows", DType.F32, dtable);
    }
    launch
        .kernel(dtable.dtype() == DType.F32 ? "add_to_rows_f32" : "add_to_rows_bf16", dout.dtype())
        .tensor(dtable)
        .tensor(dout)
        .tensor(rows)
        .i64(rows.elements())
        .i64(dtable.rows())
        .i64(dtable.cols())
        .moves(
            (double) dout.elements() * (dout.dtype().bytes() + 2 * dtable.dtype().bytes())
                + rows.bytes())
        .blocks(rows.elements(), ROW_THREADS);
  }

  private static void requireRows(String operation, Tensor table, Tensor chosen, Tensor rows) {
    Arguments.requireType(operation, DType.I32, rows);
    Arguments.require(
        chosen.rows() == rows.elements() && chosen.cols() == table.cols(),
        operation,
        "[N, C] of a table [V, C] for rows [N]",
        chosen,
        table,
        rows);
  }

  @Override
  public void columnsForward(Tensor out, Tensor x, long from) {
    requireColumns(x, out, from);
    launch
        .kernel("columns", out.dtype())
        .tensor(out)
        .tensor(x)
        .i64(out.cols())
        .i64(x.cols())
        .i64(from)
        .blocks(out.rows(), ROW_THREADS);
  }

  @Override
  public void columnsBackward(Tensor dx, Tensor dout, long from) {
    requireColumns(dx, dout, from);
    launch
        .kernel("add_to_columns", dx.dtype())
        .tensor(dx)
        .tensor(dout)
        .i64(dout.cols())
        .i64(dx.cols())
        .i64(from)
        .blocks(dout.rows(), ROW_THREADS);
  }

  private static void requireColumns(Tensor whole, Tensor part, long from) {
    Arguments.requireActivations("columns", whole);
    Arguments.requireType("columns", whole.dtype(), part);
    Arguments.require(
        from >= 0 && from + part.cols() <= whole.cols() && part.rows() == whole.rows(),
        "columns",
        "[N, M] and, from column " + from + " on, [N, W]",
        whole,
        part);
  }

  @Override
  public void gatherColumnsForward(Tensor out, Tensor table, Tensor columns) {
    requireTable(table, out, columns);
    launch
        .kernel("gather_columns", out.dtype())
        .tensor(out)
        .tensor(table)
        .tensor(columns)
        .i64(columns.elements())
        .i64(table.rows())
        .i64(table.cols())
        .each(out.elements());
  }

  @Override
  public void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
    requireTable(dtable, dout, columns);
    launch
        .kernel("add_to_table_columns", dout.dtype())
        .tensor(dtable)
        .tensor(dout)
        .tensor(columns)
        .i64(columns.elements())
        .i64(dtable.rows())
        .i64(dtable.cols())
        .blocks(columns.elements(), COLUMN_THREADS);
  }

  private static void requireTable(Tensor table, Tensor chosen, Tensor columns) {
    Arguments.requireActivations("gatherColumns", chosen);
    Arguments.requireType("gatherColumns", DType.F32, table);
    Arguments.requireType("gatherColumns", DType.I32, columns);
    Arguments.require(
        chosen.rows() == columns.elements() && chosen.cols() == table.rows(),
        "gatherColumns",
        "[N, r] of a table [r, V] for columns [N]",
        chosen,
        table,
        columns);
  }
}
