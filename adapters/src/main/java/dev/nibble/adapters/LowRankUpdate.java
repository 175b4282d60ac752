package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/**
 * The low-rank update of one linear map (arXiv:2106.09685): out += s (x A^T B^T + b), which is x
 * ΔW^T with ΔW = s B A. Of W's O times I weights none trains; the r (I + O) of A and B do.
 *
 * <pre>
 *                        out [N, O]
 *                            |
 *              +-------------+-------------+
 *              |                           | times s
 *      +-------+-------+           +-------+-------+
 *      |               |            \   B [O, r]  /     starts as 0
 *      |   W [O, I]    |             \           /
 *      |    frozen     |              +----+----+
 *      |               |                   | x A^T [N, r]
 *      |  bfloat16 or  |              +----+----+
 *      |    4 bits     |             /           \
 *      |               |            /   A [r, I]  \     starts random
 *      +-------+-------+           +-------+-------+
 *              |                           |
 *              +-------------+-------------+
 *                            |
 *                        x [N, I]
 * </pre>
 *
 * <p>Backward computes x A^T again, which is cheaper than keeping it.
 *
 * @param a A [r, I]
 * @param b B [O, r]
 * @param bias b [O]
 * @param scale s
 */
record LowRankUpdate(
    Parameter a, Parameter b, Optional<Parameter> bias, double scale, LoraScratch scratch) {

  /** out [N, O] += s (x A^T B^T + b). */
  void forward(Kernels kernels, Tensor out, Tensor x) {
    kernels.products().linearForwardAdd(out, low(kernels, x), b.weight(), scale);
    if (bias.isPresent()) {
      Tensor column = bias.get().weight().reshape(b.weight().rows(), 1);
      kernels.products().linearForwardAdd(out, ones(kernels, out.rows()), column, scale);
    }
  }

  /** Adds to dx [N, I] and to the gradients of A, B and b, for dout [N, O]. */
  void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x) {
    backwardInput(kernels, dx, backwardParameters(kernels, dout, x));
  }

  /** Adds to the gradients of A, B and b; gives that of x A^T [N, r], in scratch. */
  Tensor backwardParameters(Kernels kernels, Tensor dout, Tensor x) {
    Tensor low = low(kernels, x);
    Tensor dlow = scratch.dlow().prefix(x.rows(), a.weight().rows());
    kernels.moving().fill(dlow, 0);
    kernels.products().linearBackwardWeight(b.gradient(), dout, low, scale);
    kernels.products().linearBackward(dlow, dout, b.weight(), scale);
    kernels.products().linearBackwardWeight(a.gradient(), dlow, x, 1);
    if (bias.isPresent()) {
      Tensor column = bias.get().gradient().reshape(b.weight().rows(), 1);
      kernels.products().linearBackwardWeight(column, dout, ones(kernels, dout.rows()), scale);
    }
    return dlow;
  }

  /** Adds to dx [N, I], for dlow [N, r] of {@link #backwardParameters}. */
  void backwardInput(Kernels kernels, Tensor dx, Tensor dlow) {
    kernels.products().linearBackward(dx, dlow, a.weight(), 1);
  }

  private Tensor low(Kernels kernels, Tensor x) {
    Tensor low = scratch.low().prefix(x.rows(), a.weight().rows());
    kernels.products().linearForward(low, x, a.weight());
    return low;
  }

  private Tensor ones(Kernels kernels, long rows) {
    Tensor ones = scratch.ones().prefix(rows, 1);
    kernels.moving().fill(ones, 1);
    return ones;
  }
}
