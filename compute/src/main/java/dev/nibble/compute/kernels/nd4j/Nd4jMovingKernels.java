package dev.nibble.compute.kernels.nd4j;

import static dev.nibble.compute.kernels.nd4j.Nd4jArguments.indices;
import static dev.nibble.compute.kernels.nd4j.Nd4jArguments.require;

import dev.nibble.compute.kernels.MovingKernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Filling, copying and converting tensors, and gathering rows or columns. */
final class Nd4jMovingKernels implements MovingKernels {
  @Override
  public void fill(Tensor out, double value) {
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(out).assign(rounded(value, out.dtype()));
    }
  }

  /** ND4J cuts a number that it writes into 16 bits, where it rounds an array. */
  private static double rounded(double value, DType dtype) {
    return switch (dtype) {
      case F64, F32 -> value;
      case BF16 -> Half.fromBf16(Half.toBf16((float) value));
      case F16 -> Half.fromF16(Half.toF16((float) value));
      case I64, I32, I16, I8, U8, BOOL -> Math.round(value);
    };
  }

  @Override
  public void copy(Tensor out, Tensor in) {
    require(out.elements() == in.elements(), "copy", out, in);
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(out).assign(work.flat(in));
    }
  }

  @Override
  public void gatherRowsForward(Tensor out, Tensor table, Tensor rows) {
    require(
        out.rows() == rows.elements() && out.cols() == table.cols(),
        "gatherRows",
        out,
        table,
        rows);
    try (Nd4jWork work = new Nd4jWork()) {
      work.matrix(out).assign(work.gather(work.matrix(table), indices(work, rows, table.rows())));
    }
  }

  @Override
  public void gatherRowsBackward(Tensor dtable, Tensor dout, Tensor rows) {
    require(
        dout.rows() == rows.elements() && dout.cols() == dtable.cols(),
        "gatherRows",
        dtable,
        dout,
        rows);
    try (Nd4jWork work = new Nd4jWork()) {
      work.scatterAdd(work.matrix(dtable), indices(work, rows, dtable.rows()), work.matrix(dout));
    }
  }

  @Override
  public void columnsForward(Tensor out, Tensor x, long from) {
    try (Nd4jWork work = new Nd4jWork()) {
      work.matrix(out).assign(columns(work, x, out, from));
    }
  }

  @Override
  public void columnsBackward(Tensor dx, Tensor dout, long from) {
    try (Nd4jWork work = new Nd4jWork()) {
      columns(work, dx, dout, from).addi(work.matrix(dout));
    }
  }

  private static INDArray columns(Nd4jWork work, Tensor whole, Tensor part, long from) {
    require(
        from >= 0 && from + part.cols() <= whole.cols() && part.rows() == whole.rows(),
        "columns",
        whole,
        part);
    return work.keep(
        work.matrix(whole)
            .get(NDArrayIndex.all(), NDArrayIndex.interval(from, from + part.cols())));
  }

  @Override
  public void gatherColumnsForward(Tensor out, Tensor table, Tensor columns) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray upright = work.keep(work.transposed(table).dup('c'));
      INDArray rows = indices(work, columns, table.cols());
      work.matrix(out).assign(work.gather(upright, rows));
    }
  }

  @Override
  public void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray upright = work.keep(work.transposed(dtable).dup('c'));
      INDArray rows = indices(work, columns, dtable.cols());
      work.scatterAdd(upright, rows, work.matrix(dout));
      work.transposed(dtable).assign(upright);
    }
  }
}
