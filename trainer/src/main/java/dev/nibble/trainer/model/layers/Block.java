package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.config.LayerPlan;
import java.util.List;
import java.util.stream.Stream;

/** One layer: attention and a feed-forward part on a residual stream [N, C]. */
public sealed interface Block permits PreNormBlock, SandwichBlock {

  /** out [N, C] from x [N, C]. */
  void forward(
      Kernels kernels, Tensor out, Saved saved, Tensor x, Sequences batch, ForwardMode mode);

  /** Makes what backward needs again; may write out again, the same bits. */
  void recompute(
      Kernels kernels, Tensor out, Saved saved, Tensor x, Sequences batch, ForwardMode mode);

  /**
   * Turns the gradient of out into the gradient of x, in place: what flows past a branch stays,
   * what flows through it is added.
   *
   * @param dx [N, C]: in, the gradient of out; after the feed-forward branch, of mid; at the end,
   *     of x
   */
  void backward(
      Kernels kernels,
      Tensor dx,
      Gradients grads,
      Saved saved,
      Tensor x,
      Sequences batch,
      ForwardMode mode);

  /**
   * The gradients of what trains alone, for a layer whose x needs none: the first one, where
   * nothing before its projections trains.
   *
   * @param dx [N, C]: in, the gradient of out; overwritten
   */
  void backwardParameters(
      Kernels kernels,
      Tensor dx,
      Gradients grads,
      Saved saved,
      Tensor x,
      Sequences batch,
      ForwardMode mode);

  /** The norm of x. */
  Norm norm1();

  /** Forward for generation, over cached keys and values. */
  void decode(
      Kernels kernels,
      Tensor out,
      Saved saved,
      Tensor x,
      Sequences batch,
      KeyValueCache cache,
      ForwardMode mode);

  /**
   * What forward keeps for backward, besides x.
   *
   * @param normed1 [N, C]: what attention reads
   * @param rstd1 [N]
   * @param mid [N, C]: the stream between the branches
   * @param normed2 [N, C]: what the feed-forward part reads
   * @param rstd2 [N]
   * @param post what norms behind the branches keep; of 0 tokens where there are none
   */
  record Saved(
      Tensor normed1,
      Tensor rstd1,
      Attention.Saved attention,
      Tensor mid,
      Tensor normed2,
      Tensor rstd2,
      FeedForward.Saved feedForward,
      Post post) {

    /**
     * @param attended [N, C]: what attention gave
     * @param rstd1 [N]
     * @param fed [N, C]: what the feed-forward part gave
     * @param rstd2 [N]
     */
    record Post(Tensor attended, Tensor rstd1, Tensor fed, Tensor rstd2) {
      static Post allocate(Buffers buffers, LayerPlan plan, int tokens) {
        int hidden = plan.attentionNorm().size();
        int n = plan.attentionOutputNorm().isPresent() ? tokens : 0;
        return new Post(
            buffers.activation("activations/attention_out", n, hidden),
            buffers.statistic("activations/post_rstd1", n),
            buffers.activation("activations/mlp_out", n, hidden),
            buffers.statistic("activations/post_rstd2", n));
      }

      Post slice(int tokens) {
        long n = Math.min(tokens, rstd1.elements());
        return new Post(
            attended.slice(0, n), rstd1.slice(0, n), fed.slice(0, n), rstd2.slice(0, n));
      }
    }

    /** All activations in the order in which forward computes them. */
    List<Tensor> inOrder() {
      return Stream.of(
              List.of(normed1),
              attention.inOrder(),
              List.of(post.attended, mid, normed2),
              feedForward.inOrder(),
              List.of(post.fed))
          .flatMap(List::stream)
          .toList();
    }

    static Saved allocate(Buffers buffers, LayerPlan plan, int n) {
      int hidden = plan.attentionNorm().size();
      return new Saved(
          buffers.activation("activations/normed1", n, hidden),
          buffers.statistic("activations/rstd1", n),
          Attention.Saved.allocate(buffers, plan.attention(), n),
          buffers.activation("activations/mid", n, hidden),
          buffers.activation("activations/normed2", n, hidden),
          buffers.statistic("activations/rstd2", n),
          FeedForward.Saved.allocate(buffers, plan.feedForward(), n),
          Post.allocate(buffers, plan, n));
    }

    Saved slice(int n) {
      return new Saved(
          normed1.slice(0, n),
          rstd1.slice(0, n),
          attention.slice(n),
          mid.slice(0, n),
          normed2.slice(0, n),
          rstd2.slice(0, n),
          feedForward.slice(n),
          post.slice(n));
    }
  }

  /**
   * Scratch of backward.
   *
   * @param normed [N, C]: gradient of normed2, then of normed1
   * @param branch [N, C]: gradient of what the feed-forward part gave, then of what attention gave;
   *     of 0 tokens without norms behind the branches
   */
  record Gradients(
      Tensor normed,
      Tensor branch,
      Attention.Gradients attention,
      FeedForward.Gradients feedForward) {
    static Gradients allocate(Buffers buffers, LayerPlan plan, int n) {
      int hidden = plan.attentionNorm().size();
      return new Gradients(
          buffers.activation("scratch/dnormed", n, hidden),
          buffers.activation(
              "scratch/dbranch", plan.attentionOutputNorm().isPresent() ? n : 0, hidden),
          Attention.Gradients.allocate(buffers, plan.attention(), n),
          FeedForward.Gradients.allocate(buffers, plan.feedForward(), n));
    }

    Gradients slice(int n) {
      return new Gradients(
          normed.slice(0, n),
          branch.slice(0, Math.min(n, branch.rows())),
          attention.slice(n),
          feedForward.slice(n));
    }
  }
}
