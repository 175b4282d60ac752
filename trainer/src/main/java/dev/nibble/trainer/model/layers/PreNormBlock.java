package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * The layer of most families: mid = x + attention(norm1(x)); out = mid + feedForward(norm2(mid)).
 * All [N, C].
 *
 * @param norm1 {@code input_layernorm}
 * @param norm2 {@code post_attention_layernorm}
 */
public record PreNormBlock(Norm norm1, Attention attention, Norm norm2, FeedForward feedForward)
    implements Block {

  @Override
  public void forward(
      Kernels kernels, Tensor out, Saved saved, Tensor x, Sequences batch, ForwardMode mode) {
    recompute(kernels, out, saved, x, batch, mode);
    feedForward.contract(kernels, out, saved.feedForward(), mode);
    kernels.pointwise().add(out, out, saved.mid());
  }

  /** All of forward but the last projection. */
  @Override
  public void recompute(
      Kernels kernels, Tensor out, Saved saved, Tensor x, Sequences batch, ForwardMode mode) {
    norm1.forward(kernels, saved.normed1(), saved.rstd1(), x);
    attention.forward(kernels, saved.mid(), saved.attention(), saved.normed1(), batch, mode);
    kernels.pointwise().add(saved.mid(), saved.mid(), x);
    norm2.forward(kernels, saved.normed2(), saved.rstd2(), saved.mid());
    feedForward.expand(kernels, saved.feedForward(), saved.normed2(), mode);
  }

  @Override
  public void backward(
      Kernels kernels,
      Tensor dx,
      Gradients grads,
      Saved saved,
      Tensor x,
      Sequences batch,
      ForwardMode mode) {
    backwardFeedForward(kernels, dx, grads, saved, mode);
    kernels.moving().fill(grads.normed(), 0);
    attention.backward(
        kernels,
        grads.normed(),
        grads.attention(),
        dx,
        saved.attention(),
        saved.normed1(),
        batch,
        mode);
    norm1.backward(kernels, dx, grads.normed(), x, saved.rstd1());
  }

  @Override
  public void backwardParameters(
      Kernels kernels,
      Tensor dx,
      Gradients grads,
      Saved saved,
      Tensor x,
      Sequences batch,
      ForwardMode mode) {
    backwardFeedForward(kernels, dx, grads, saved, mode);
    attention.backwardParameters(
        kernels, grads.attention(), dx, saved.attention(), saved.normed1(), batch, mode);
  }

  /** Turns the gradient of out into the gradient of mid. */
  private void backwardFeedForward(
      Kernels kernels, Tensor dx, Gradients grads, Saved saved, ForwardMode mode) {
    kernels.moving().fill(grads.normed(), 0);
    feedForward.backward(
        kernels,
        grads.normed(),
        grads.feedForward(),
        dx,
        saved.feedForward(),
        saved.normed2(),
        mode);
    norm2.backward(kernels, dx, grads.normed(), saved.mid(), saved.rstd2());
  }

  @Override
  public void decode(
      Kernels kernels,
      Tensor out,
      Saved saved,
      Tensor x,
      Sequences batch,
      KeyValueCache cache,
      ForwardMode mode) {
    norm1.forward(kernels, saved.normed1(), saved.rstd1(), x);
    attention.decode(kernels, saved.mid(), saved.attention(), saved.normed1(), batch, cache, mode);
    kernels.pointwise().add(saved.mid(), saved.mid(), x);
    norm2.forward(kernels, saved.normed2(), saved.rstd2(), saved.mid());
    feedForward.expand(kernels, saved.feedForward(), saved.normed2(), mode);
    feedForward.contract(kernels, out, saved.feedForward(), mode);
    kernels.pointwise().add(out, out, saved.mid());
  }
}
