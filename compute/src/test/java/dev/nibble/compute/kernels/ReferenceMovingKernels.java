package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.ReferenceValues.cols;
import static dev.nibble.compute.kernels.ReferenceValues.doubles;
import static dev.nibble.compute.kernels.ReferenceValues.index;
import static dev.nibble.compute.kernels.ReferenceValues.require;
import static dev.nibble.compute.kernels.ReferenceValues.size;
import static dev.nibble.compute.kernels.ReferenceValues.store;

import dev.nibble.compute.tensor.Tensor;

/** The specification of {@link MovingKernels}, see {@link ReferenceKernels}. */
class ReferenceMovingKernels implements MovingKernels {

  @Override
  public void fill(Tensor out, double value) {
    store(out, i -> value);
  }

  @Override
  public void copy(Tensor out, Tensor in) {
    require(out.elements() == in.elements(), "copy between sizes", out, in);
    if (in.dtype().isFloating()) {
      store(out, in::getDouble);
    } else {
      store(out, in::getLong);
    }
  }

  @Override
  public void gatherRowsForward(Tensor out, Tensor table, Tensor rows) {
    int c = cols(table);
    require(out.rows() == rows.elements() && out.cols() == c, "gatherRows", out, table, rows);
    store(out, i -> table.getDouble((long) index(rows, i / c, table.rows()) * c + i % c));
  }

  @Override
  public void gatherRowsBackward(Tensor dtable, Tensor dout, Tensor rows) {
    int c = cols(dtable);
    double[] sums = doubles(dtable);
    for (int i = 0; i < size(dout); i++) {
      sums[index(rows, i / c, dtable.rows()) * c + i % c] += dout.getDouble(i);
    }
    store(dtable, i -> sums[i]);
  }

  @Override
  public void columnsForward(Tensor out, Tensor x, long from) {
    requireColumns(x, out, from);
    int w = cols(out);
    store(out, i -> x.getDouble(i / w * x.cols() + from + i % w));
  }

  @Override
  public void columnsBackward(Tensor dx, Tensor dout, long from) {
    requireColumns(dx, dout, from);
    int w = cols(dout);
    for (int i = 0; i < size(dout); i++) {
      long at = i / w * dx.cols() + from + i % w;
      dx.setFloat(at, dx.getDouble(at) + dout.getDouble(i));
    }
  }

  private static void requireColumns(Tensor whole, Tensor part, long from) {
    boolean inside = from >= 0 && from + part.cols() <= whole.cols();
    require(inside && whole.rows() == part.rows(), "columns", whole, part);
  }

  @Override
  public void gatherColumnsForward(Tensor out, Tensor table, Tensor columns) {
    int r = cols(out);
    int v = cols(table);
    store(out, i -> table.getDouble((long) i % r * v + index(columns, i / r, v)));
  }

  @Override
  public void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
    int r = cols(dout);
    int v = cols(dtable);
    double[] sums = doubles(dtable);
    for (int i = 0; i < size(dout); i++) {
      sums[i % r * v + index(columns, i / r, v)] += dout.getDouble(i);
    }
    store(dtable, i -> sums[i]);
  }
}
