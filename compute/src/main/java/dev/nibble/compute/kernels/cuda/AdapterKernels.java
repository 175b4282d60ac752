package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;

/** What adapters need beside linear maps. */
final class AdapterKernels {
  private static final int THREADS = 256;
  private static final int WARP = 32;
  private static final int COLUMNS = 32;
  private static final long BLOCKS_OF_SEGMENT = 64;

  private final Launch launch;

  AdapterKernels(Launch launch) {
    this.launch = launch;
  }

  void scaleColumns(Tensor out, Tensor x, Tensor factors) {
    Arguments.requireAlike("scaleColumns", x, out);
    Arguments.requireType("scaleColumns", DType.F32, factors);
    long cols = factors.elements();
    launch
        .kernel("scale_columns", x.dtype())
        .tensor(out)
        .tensor(x)
        .tensor(factors)
        .i64(cols)
        .blocks(rows("scaleColumns", x, factors), THREADS);
  }

  void columnDots(Tensor out, Tensor a, Tensor b) {
    Arguments.requireAlike("columnDots", a, b);
    Arguments.requireType("columnDots", DType.F32, out);
    launch
        .kernel("column_dots", a.dtype())
        .tensor(out)
        .tensor(a)
        .tensor(b)
        .i64(rows("columnDots", a, out))
        .i64(out.elements())
        .blocks(Math.ceilDiv(out.elements(), COLUMNS), THREADS);
  }

  /** The N of x [N, C], for what has C elements. */
  private static long rows(String operation, Tensor x, Tensor columns) {
    long cols = columns.elements();
    long rows = cols == 0 ? 0 : x.elements() / cols;
    Arguments.require(rows * cols == x.elements(), operation, "[N, C] and [C]", x, columns);
    return rows;
  }

  void inverseRowNorms(Tensor out, Tensor squares, Tensor b, Tensor p, Tensor q, double scale) {
    Arguments.requireType("inverseRowNorms", DType.F32, out, squares, b, p, q);
    long outputs = out.elements();
    long rank = b.cols();
    Arguments.require(
        squares.elements() == outputs
            && b.rows() == outputs
            && p.elements() == rank * outputs
            && q.elements() == rank * outputs,
        "inverseRowNorms",
        "out and squares [O], b and q [O, r], p [r, O]",
        out,
        squares,
        b,
        p,
        q);
    launch
        .kernel("inverse_row_norms")
        .tensor(out)
        .tensor(squares)
        .tensor(b)
        .tensor(p)
        .tensor(q)
        .i64(outputs)
        .i64(rank)
        .f64(scale)
        .each(outputs);
  }

  void gatherColumnsForward(Tensor out, Tensor table, Tensor columns) {
    requireColumns(table, out, columns);
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

  void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
    requireColumns(dtable, dout, columns);
    launch
        .kernel("add_to_table_columns", dout.dtype())
        .tensor(dtable)
        .tensor(dout)
        .tensor(columns)
        .i64(columns.elements())
        .i64(dtable.rows())
        .i64(dtable.cols())
        .blocks(columns.elements(), WARP);
  }

  private static void requireColumns(Tensor table, Tensor chosen, Tensor columns) {
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

  void addNoise(Tensor x, Tensor segments, double alpha, long seed) {
    Arguments.requireActivations("addNoise", x);
    Arguments.requireType("addNoise", DType.I32, segments);
    Arguments.require(segments.cols() == 4, "addNoise", "segments [S, 4]", segments);
    launch
        .kernel("add_noise", x.dtype())
        .tensor(x)
        .tensor(segments)
        .i64(x.rows())
        .i64(x.cols())
        .f64(alpha)
        .i64(seed)
        .grid(
            Math.min(BLOCKS_OF_SEGMENT, Math.ceilDiv(x.elements(), THREADS)),
            segments.rows(),
            1,
            THREADS,
            0);
  }
}
