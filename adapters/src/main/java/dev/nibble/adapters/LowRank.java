package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/**
 * The update of one linear map: s (d(x) A^T B^T + b), with d inverted dropout. Backward computes
 * d(x) and d(x) A^T again, which is cheaper than keeping them.
 *
 * @param a A [r, I]
 * @param b B [O, r]
 * @param bias b [O]
 * @param scale s
 * @param dropout rate in [0, 1)
 * @param place a number of its own among the model's projections, for its dropout mask
 */
record LowRank(
    Parameter a,
    Parameter b,
    Optional<Parameter> bias,
    double scale,
    double dropout,
    int place,
    LoraScratch scratch) {

  boolean drops(ForwardMode mode) {
    return mode.dropout() && dropout > 0;
  }

  /** d(x) [N, I]: x itself, or in scratch. */
  Tensor dropped(Kernels kernels, Tensor x, ForwardMode mode) {
    if (!drops(mode)) {
      return x;
    }
    Tensor out = scratch.dropped().prefix(x.rows(), x.cols());
    kernels.pointwise().dropoutForward(out, x, dropout, mode.maskSeed(place));
    return out;
  }

  /** Adds the gradient of d(x) to that of x. */
  void undrop(Kernels kernels, Tensor dx, Tensor ddropped, ForwardMode mode) {
    kernels.pointwise().dropoutBackward(dx, ddropped, dropout, mode.maskSeed(place));
  }

  /** out [N, O] += s (input A^T B^T + b). */
  void forward(Kernels kernels, Tensor out, Tensor input) {
    kernels.products().linearForwardAdd(out, low(kernels, input), b.weight(), scale);
    if (bias.isPresent()) {
      Tensor column = bias.get().weight().reshape(b.weight().rows(), 1);
      kernels.products().linearForwardAdd(out, ones(kernels, out.rows()), column, scale);
    }
  }

  /** Adds to dinput [N, I] and to the gradients of A, B and b, for dout [N, O]. */
  void backward(Kernels kernels, Tensor dinput, Tensor dout, Tensor input) {
    backwardInput(kernels, dinput, backwardParameters(kernels, dout, input));
  }

  /** Adds to the gradients of A, B and b; gives that of input A^T [N, r], in scratch. */
  Tensor backwardParameters(Kernels kernels, Tensor dout, Tensor input) {
    Tensor low = low(kernels, input);
    Tensor dlow = scratch.dlow().prefix(input.rows(), a.weight().rows());
    kernels.moving().fill(dlow, 0);
    kernels.products().linearBackwardWeight(b.gradient(), dout, low, scale);
    kernels.products().linearBackward(dlow, dout, b.weight(), scale);
    kernels.products().linearBackwardWeight(a.gradient(), dlow, input, 1);
    if (bias.isPresent()) {
      Tensor column = bias.get().gradient().reshape(b.weight().rows(), 1);
      kernels.products().linearBackwardWeight(column, dout, ones(kernels, dout.rows()), scale);
    }
    return dlow;
  }

  /** Adds to dinput [N, I], for dlow [N, r] of {@link #backwardParameters}. */
  void backwardInput(Kernels kernels, Tensor dinput, Tensor dlow) {
    kernels.products().linearBackward(dinput, dlow, a.weight(), 1);
  }

  private Tensor low(Kernels kernels, Tensor input) {
    Tensor low = scratch.low().prefix(input.rows(), a.weight().rows());
    kernels.products().linearForward(low, input, a.weight());
    return low;
  }

  private Tensor ones(Kernels kernels, long rows) {
    Tensor ones = scratch.ones().prefix(rows, 1);
    kernels.moving().fill(ones, 1);
    return ones;
  }
}
