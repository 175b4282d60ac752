package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;

/**
 * Operations that move data: filling, copying and converting tensors, and gathering rows or
 * columns. See {@link Kernels} for conventions.
 */
public interface MovingKernels {

  /** out[i] = value. Any dtype; integers are rounded. */
  void fill(Tensor out, double value);

  /**
   * out[i] = in[i], rounded to out's dtype. Both have the same number of elements and lie on the
   * host or on this set's device. When it returns, the tensor on the host may be read and changed.
   */
  void copy(Tensor out, Tensor in);

  /**
   * out[n] = table[rows[n]]: embedding look-up, and the choice of supervised positions.
   *
   * @param out [N, C]
   * @param table F32, BF16 or F16 [V, C]
   * @param rows I32 [N], each in [0, V)
   */
  void gatherRowsForward(Tensor out, Tensor table, Tensor rows);

  /**
   * dtable[rows[n]] += dout[n], in order of n.
   *
   * @param dtable F32, or of dout's dtype, [V, C]
   * @param dout [N, C]
   */
  void gatherRowsBackward(Tensor dtable, Tensor dout, Tensor rows);

  /**
   * out[n, j] = x[n, from + j]: one part of the output of a fused linear map.
   *
   * @param out [N, W]
   * @param x [N, M] with from + W &lt;= M
   */
  void columnsForward(Tensor out, Tensor x, long from);

  /**
   * dx[n, from + j] += dout[n, j].
   *
   * @param dx [N, M]
   * @param dout [N, W]
   */
  void columnsBackward(Tensor dx, Tensor dout, long from);

  /**
   * out[n, k] = table[k, columns[n]]: embedding look-up in a transposed table [r, V].
   *
   * @param out [N, r]
   * @param table F32 [r, V]
   * @param columns I32 [N], each in [0, V)
   */
  void gatherColumnsForward(Tensor out, Tensor table, Tensor columns);

  /**
   * dtable[k, columns[n]] += dout[n, k], in order of n.
   *
   * @param dtable F32 [r, V]
   * @param dout [N, r]
   */
  void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns);
}
