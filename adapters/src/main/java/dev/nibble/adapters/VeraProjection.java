package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/**
 * A frozen map with an update of random matrices between vectors that train (VeRA,
 * arXiv:2310.11454): out = x W^T + bias + b * ((d * (i(x) A^T)) B^T), with i dropout. Backward
 * makes the products again, which is cheaper than keeping them.
 *
 * @param a A^T [I, r], on its side so that the first I inputs of the shared matrix lie together
 * @param b B [O, r]
 * @param lambdaB b [O]
 * @param lambdaD d [r]
 */
record VeraProjection(
    FrozenProjection base,
    Tensor a,
    Tensor b,
    Parameter lambdaB,
    Parameter lambdaD,
    InputDropout dropout,
    Scratch scratch)
    implements Projection {

  /**
   * Buffers that all maps of a model share, since one runs at a time.
   *
   * @param low [N, r]: x A^T
   * @param scaled [N, r]: d * (x A^T), then the gradient of x A^T
   * @param up [N, O]: what b scales, then its gradient
   */
  record Scratch(Tensor low, Tensor scaled, Tensor up) {

    /** Takes the buffers, in the group "scratch". */
    static Scratch allocate(Buffers buffers, int rank, List<AdapterTarget> targets) {
      long low = AdapterTarget.largest(targets, AdapterTarget::maxTokens) * rank;
      return new Scratch(
          buffers.activation("scratch/vera_low", low),
          buffers.activation("scratch/vera_scaled", low),
          buffers.activation(
              "scratch/vera_up", AdapterTarget.largest(targets, t -> t.maxTokens() * t.outputs())));
    }
  }

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    base.forward(kernels, out, x, mode);
    Tensor up = up(kernels, low(kernels, dropout.forward(kernels, x, mode)));
    kernels.pointwise().scaleColumns(up, up, lambdaB.weight());
    kernels.pointwise().add(out, out, up);
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    base.backward(kernels, dx, dout, x, mode);
    Tensor dlow = backwardVectors(kernels, dout, dropout.forward(kernels, x, mode));
    if (dropout.drops(mode)) {
      Tensor ddropped = dropout.zeroGradient(kernels, x);
      kernels.products().linearForwardAdd(ddropped, dlow, a, 1);
      dropout.backward(kernels, dx, ddropped, mode);
    } else {
      kernels.products().linearForwardAdd(dx, dlow, a, 1);
    }
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    backwardVectors(kernels, dout, dropout.forward(kernels, x, mode));
  }

  /** Adds to the gradients of b and d; gives that of x A^T [N, r], in scratch. */
  private Tensor backwardVectors(Kernels kernels, Tensor dout, Tensor x) {
    Tensor low = low(kernels, x);
    Tensor up = up(kernels, low);
    kernels.pointwise().columnDots(lambdaB.gradient(), dout, up);
    kernels.pointwise().scaleColumns(up, dout, lambdaB.weight());
    Tensor dlow = scratch.scaled().prefix(x.rows(), a.cols());
    kernels.moving().fill(dlow, 0);
    kernels.products().linearBackward(dlow, up, b, 1);
    kernels.pointwise().columnDots(lambdaD.gradient(), dlow, low);
    kernels.pointwise().scaleColumns(dlow, dlow, lambdaD.weight());
    return dlow;
  }

  /** x A^T [N, r]. */
  private Tensor low(Kernels kernels, Tensor x) {
    Tensor low = scratch.low().prefix(x.rows(), a.cols());
    kernels.moving().fill(low, 0);
    kernels.products().linearBackward(low, x, a, 1);
    return low;
  }

  /** (d * low) B^T [N, O]. */
  private Tensor up(Kernels kernels, Tensor low) {
    Tensor scaled = scratch.scaled().prefix(low.rows(), low.cols());
    kernels.pointwise().scaleColumns(scaled, low, lambdaD.weight());
    Tensor up = scratch.up().prefix(low.rows(), b.rows());
    kernels.products().linearForward(up, scaled, b);
    return up;
  }
}
