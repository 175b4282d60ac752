package dev.nibble.trainer.model;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * Gemma's layer, with norms on both sides of each branch: mid = x + post1(attention(norm1(x))); out
 * = mid + post2(mlp(norm2(mid))). All [N, C].
 *
 * @param norm1 {@code input_layernorm}
 * @param post1 {@code post_attention_layernorm}
 * @param norm2 {@code pre_feedforward_layernorm}
 * @param post2 {@code post_feedforward_layernorm}
 */
record SandwichBlock(
    Norm norm1, Attention attention, Norm post1, Norm norm2, GatedMlp mlp, Norm post2)
    implements Block {

  @Override
  public void forward(
      Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, ForwardMode mode) {
    norm1.forward(kernels, s.normed1(), s.rstd1(), x);
    attention.forward(kernels, s.post().attended(), s.attention(), s.normed1(), at, mode);
    finish(kernels, out, s, x, mode);
  }

  /** All of forward: backward needs what the last projection gave. */
  @Override
  public void recompute(
      Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, ForwardMode mode) {
    forward(kernels, out, s, x, at, mode);
  }

  @Override
  public void backward(
      Kernels kernels, Tensor dx, Gradients d, Saved s, Tensor x, Sequences at, ForwardMode mode) {
    backwardMlp(kernels, dx, d, s, mode);
    kernels.moving().fill(d.normed(), 0);
    attention.backward(
        kernels, d.normed(), d.attention(), d.branch(), s.attention(), s.normed1(), at, mode);
    norm1.backward(kernels, dx, d.normed(), x, s.rstd1());
  }

  @Override
  public void backwardParameters(
      Kernels kernels, Tensor dx, Gradients d, Saved s, Tensor x, Sequences at, ForwardMode mode) {
    backwardMlp(kernels, dx, d, s, mode);
    attention.backwardParameters(
        kernels, d.attention(), d.branch(), s.attention(), s.normed1(), at, mode);
  }

  /** Turns the gradient of out into the gradient of mid, and gives what attention gets of it. */
  private void backwardMlp(Kernels kernels, Tensor dx, Gradients d, Saved s, ForwardMode mode) {
    kernels.moving().fill(d.branch(), 0);
    post2.backward(kernels, d.branch(), dx, s.post().fed(), s.post().rstd2());
    kernels.moving().fill(d.normed(), 0);
    mlp.backward(kernels, d.normed(), d.mlp(), d.branch(), s.mlp(), s.normed2(), mode);
    norm2.backward(kernels, dx, d.normed(), s.mid(), s.rstd2());
    kernels.moving().fill(d.branch(), 0);
    post1.backward(kernels, d.branch(), dx, s.post().attended(), s.post().rstd1());
  }

  @Override
  public void decode(
      Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, KeyValueCache cache) {
    norm1.forward(kernels, s.normed1(), s.rstd1(), x);
    attention.decode(kernels, s.post().attended(), s.attention(), s.normed1(), at, cache);
    finish(kernels, out, s, x, ForwardMode.EVALUATION);
  }

  /** What follows attention. */
  private void finish(Kernels kernels, Tensor out, Saved s, Tensor x, ForwardMode mode) {
    post1.forward(kernels, s.mid(), s.post().rstd1(), s.post().attended());
    kernels.pointwise().add(s.mid(), s.mid(), x);
    norm2.forward(kernels, s.normed2(), s.rstd2(), s.mid());
    mlp.expand(kernels, s.mlp(), s.normed2(), mode);
    mlp.contract(kernels, s.post().fed(), s.mlp(), mode);
    post2.forward(kernels, out, s.post().rstd2(), s.post().fed());
    kernels.pointwise().add(out, out, s.mid());
  }
}
