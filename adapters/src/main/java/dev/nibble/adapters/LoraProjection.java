package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * A frozen map with a low-rank update that trains (LoRA, arXiv:2106.09685): out = x W^T + bias +
 * (alpha/r) (d(x) A^T) B^T, with d inverted dropout. Backward computes d(x) A^T again, which is
 * cheaper than keeping it.
 */
public final class LoraProjection implements Projection {
  private final FrozenProjection base;
  private final Parameter a; // [r, I]
  private final Parameter b; // [O, r]
  private final LoraSpec spec;
  private final int place;
  private final LoraScratch scratch;

  /**
   * Wraps a frozen map.
   *
   * @param a [r, I]
   * @param b [O, r]
   * @param place a number of its own among the model's projections, for its dropout mask
   */
  public LoraProjection(
      FrozenProjection base,
      Parameter a,
      Parameter b,
      LoraSpec spec,
      int place,
      LoraScratch scratch) {
    this.base = base;
    this.a = a;
    this.b = b;
    this.spec = spec;
    this.place = place;
    this.scratch = scratch;
  }

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, Pass pass) {
    base.forward(kernels, out, x, pass);
    Tensor low = low(kernels, dropped(kernels, x, pass)); // [N, r]
    kernels.linearForwardAdd(out, low, b.weight(), spec.scale());
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, Pass pass) {
    base.backward(kernels, dx, dout, x, pass);
    Tensor input = dropped(kernels, x, pass); // [N, I]
    Tensor low = low(kernels, input); // [N, r]
    Tensor dlow = scratch.dlow().prefix(x.rows(), spec.r());
    kernels.fill(dlow, 0);
    kernels.linearBackwardWeight(b.gradient(), dout, low, spec.scale());
    kernels.linearBackward(dlow, dout, b.weight(), spec.scale());
    kernels.linearBackwardWeight(a.gradient(), dlow, input, 1);
    if (drops(pass)) {
      Tensor dinput = scratch.ddropped().prefix(x.rows(), x.cols());
      kernels.fill(dinput, 0);
      kernels.linearBackward(dinput, dlow, a.weight(), 1);
      kernels.dropoutBackward(dx, dinput, spec.dropout(), pass.maskSeed(place));
    } else {
      kernels.linearBackward(dx, dlow, a.weight(), 1);
    }
  }

  private boolean drops(Pass pass) {
    return pass.dropout() && spec.dropout() > 0;
  }

  private Tensor dropped(Kernels kernels, Tensor x, Pass pass) {
    if (!drops(pass)) {
      return x;
    }
    Tensor out = scratch.dropped().prefix(x.rows(), x.cols());
    kernels.dropoutForward(out, x, spec.dropout(), pass.maskSeed(place));
    return out;
  }

  private Tensor low(Kernels kernels, Tensor input) {
    Tensor low = scratch.low().prefix(input.rows(), spec.r());
    kernels.linearForward(low, input, a.weight());
    return low;
  }
}
