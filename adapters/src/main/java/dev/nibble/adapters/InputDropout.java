package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * Inverted dropout d on the input of one module's adapter. Backward draws the mask again, which is
 * cheaper than keeping it.
 *
 * @param rate in [0, 1)
 * @param place a number of its own among the model's adapted modules, for its mask
 */
record InputDropout(double rate, int place, DropoutScratch scratch) {

  /** True when a pass in this mode drops anything. */
  boolean drops(ForwardMode mode) {
    return mode.dropout() && rate > 0;
  }

  /** d(x) [N, I]: x itself, or in scratch. */
  Tensor forward(Kernels kernels, Tensor x, ForwardMode mode) {
    if (!drops(mode)) {
      return x;
    }
    Tensor out = scratch.dropped().prefix(x.rows(), x.cols());
    kernels.pointwise().dropoutForward(out, x, rate, mode.maskSeed(place));
    return out;
  }

  /** The gradient of d(x) [N, I] to add to, all 0, in scratch. */
  Tensor zeroGradient(Kernels kernels, Tensor x) {
    Tensor gradient = scratch.gradient().prefix(x.rows(), x.cols());
    kernels.moving().fill(gradient, 0);
    return gradient;
  }

  /** Adds the gradient of d(x) to that of x. */
  void backward(Kernels kernels, Tensor dx, Tensor ddropped, ForwardMode mode) {
    kernels.pointwise().dropoutBackward(dx, ddropped, rate, mode.maskSeed(place));
  }
}
