package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * Gemma's layer, with norms on both sides of each branch: mid = x + post1(attention(norm1(x))); out
 * = mid + post2(feedForward(norm2(mid))). All [N, C].
 *
 * @param norm1 {@code input_layernorm}
 * @param post1 {@code post_attention_layernorm}
 * @param norm2 {@code pre_feedforward_layernorm}
 * @param post2 {@code post_feedforward_layernorm}
 */
public record SandwichBlock(
    Norm norm1, Attention attention, Norm post1, Norm norm2, FeedForward feedForward, Norm post2)
    implements Block {

  @Override
  public void forward(
      Kernels kernels, Tensor out, Saved saved, Tensor x, Sequences batch, ForwardMode mode) {
    norm1.forward(kernels, saved.normed1(), saved.rstd1(), x);
    attention.forward(
        kernels, saved.post().attended(), saved.attention(), saved.normed1(), batch, mode);
    finish(kernels, out, saved, x, mode);
  }

  /** All of forward: backward needs what the last projection gave. */
  @Override
  public void recompute(
      Kernels kernels, Tensor out, Saved saved, Tensor x, Sequences batch, ForwardMode mode) {
    forward(kernels, out, saved, x, batch, mode);
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
        grads.branch(),
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
        kernels,
        grads.attention(),
        grads.branch(),
        saved.attention(),
        saved.normed1(),
        batch,
        mode);
  }

  /** Turns the gradient of out into the gradient of mid, and gives what attention gets of it. */
  private void backwardFeedForward(
      Kernels kernels, Tensor dx, Gradients grads, Saved saved, ForwardMode mode) {
    kernels.moving().fill(grads.branch(), 0);
    post2.backward(kernels, grads.branch(), dx, saved.post().fed(), saved.post().rstd2());
    kernels.moving().fill(grads.normed(), 0);
    feedForward.backward(
        kernels,
        grads.normed(),
        grads.feedForward(),
        grads.branch(),
        saved.feedForward(),
        saved.normed2(),
        mode);
    norm2.backward(kernels, dx, grads.normed(), saved.mid(), saved.rstd2());
    kernels.moving().fill(grads.branch(), 0);
    post1.backward(kernels, grads.branch(), dx, saved.post().attended(), saved.post().rstd1());
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
    attention.decode(
        kernels, saved.post().attended(), saved.attention(), saved.normed1(), batch, cache, mode);
    finish(kernels, out, saved, x, mode);
  }

  /** What follows attention. */
  private void finish(Kernels kernels, Tensor out, Saved saved, Tensor x, ForwardMode mode) {
    post1.forward(kernels, saved.mid(), saved.post().rstd1(), saved.post().attended());
    kernels.pointwise().add(saved.mid(), saved.mid(), x);
    norm2.forward(kernels, saved.normed2(), saved.rstd2(), saved.mid());
    feedForward.expand(kernels, saved.feedForward(), saved.normed2(), mode);
    feedForward.contract(kernels, saved.post().fed(), saved.feedForward(), mode);
    post2.forward(kernels, out, saved.post().rstd2(), saved.post().fed());
    kernels.pointwise().add(out, out, saved.mid());
  }
}
