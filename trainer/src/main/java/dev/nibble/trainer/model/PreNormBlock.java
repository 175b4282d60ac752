package dev.nibble.trainer.model;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * The layer of most families: mid = x + attention(norm1(x)); out = mid + mlp(norm2(mid)). All [N,
 * C].
 *
 * @param norm1 {@code input_layernorm}
 * @param norm2 {@code post_attention_layernorm}
 */
record PreNormBlock(Norm norm1, Attention attention, Norm norm2, GatedMlp mlp) implements Block {

  @Override
  public void forward(
      Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, ForwardMode mode) {
    recompute(kernels, out, s, x, at, mode);
    mlp.contract(kernels, out, s.mlp(), mode);
    kernels.pointwise().add(out, out, s.mid());
  }

  /** All of forward but the last projection. */
  @Override
  public void recompute(
      Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, ForwardMode mode) {
    norm1.forward(kernels, s.normed1(), s.rstd1(), x);
    attention.forward(kernels, s.mid(), s.attention(), s.normed1(), at, mode);
    kernels.pointwise().add(s.mid(), s.mid(), x);
    norm2.forward(kernels, s.normed2(), s.rstd2(), s.mid());
    mlp.expand(kernels, s.mlp(), s.normed2(), mode);
  }

  @Override
  public void backward(
      Kernels kernels, Tensor dx, Gradients d, Saved s, Tensor x, Sequences at, ForwardMode mode) {
    backwardMlp(kernels, dx, d, s, mode);
    kernels.moving().fill(d.normed(), 0);
    attention.backward(
        kernels, d.normed(), d.attention(), dx, s.attention(), s.normed1(), at, mode);
    norm1.backward(kernels, dx, d.normed(), x, s.rstd1());
  }

  @Override
  public void backwardParameters(
      Kernels kernels, Tensor dx, Gradients d, Saved s, Tensor x, Sequences at, ForwardMode mode) {
    backwardMlp(kernels, dx, d, s, mode);
    attention.backwardParameters(kernels, d.attention(), dx, s.attention(), s.normed1(), at, mode);
  }

  /** Turns the gradient of out into the gradient of mid. */
  private void backwardMlp(Kernels kernels, Tensor dx, Gradients d, Saved s, ForwardMode mode) {
    kernels.moving().fill(d.normed(), 0);
    mlp.backward(kernels, d.normed(), d.mlp(), dx, s.mlp(), s.normed2(), mode);
    norm2.backward(kernels, dx, d.normed(), s.mid(), s.rstd2());
  }

  @Override
  public void decode(
      Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, KeyValueCache cache) {
    norm1.forward(kernels, s.normed1(), s.rstd1(), x);
    attention.decode(kernels, s.mid(), s.attention(), s.normed1(), at, cache);
    kernels.pointwise().add(s.mid(), s.mid(), x);
    norm2.forward(kernels, s.normed2(), s.rstd2(), s.mid());
    mlp.expand(kernels, s.mlp(), s.normed2(), ForwardMode.EVALUATION);
    mlp.contract(kernels, out, s.mlp(), ForwardMode.EVALUATION);
    kernels.pointwise().add(out, out, s.mid());
  }
}
