package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.config.LayerPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Grouped-query attention (arXiv:2305.13245) with rotary positions: out = o(softmax(cap(q k^T *
 * scale)) v), where q, k and v are projections of x, q and k perhaps normed head by head, and rope
 * rotates q and k.
 *
 * @param inputs q, k and v
 * @param rope which of the model's ropes; empty where positions play no part (NoPE)
 */
public record Attention(
    Projections inputs,
    Optional<HeadNorms> headNorms,
    Projection o,
    AttentionRule rule,
    int headSize,
    OptionalInt rope) {

  /**
   * What forward keeps for backward; q and k are already normed and rotated.
   *
   * @param q [N, H*D]
   * @param k [N, K*D]
   * @param v [N, K*D]
   * @param attended [N, H*D]: what o projects
   * @param lse [N, H]
   */
  record Saved(
      Tensor q,
      Tensor k,
      Tensor v,
      Tensor attended,
      Tensor lse,
      Optional<HeadNorms.Saved> headNorms) {
    static Saved allocate(Buffers buffers, LayerPlan.Attention plan, int n) {
      return new Saved(
          buffers.activation("activations/q", n, plan.query()),
          buffers.activation("activations/k", n, plan.keyValue()),
          buffers.activation("activations/v", n, plan.keyValue()),
          buffers.activation("activations/attended", n, plan.query()),
          buffers.statistic("activations/attention_lse", n, plan.heads()),
          plan.headNorms().map(norms -> HeadNorms.Saved.allocate(buffers, plan, n)));
    }

    Saved slice(int n) {
      return new Saved(
          q.slice(0, n),
          k.slice(0, n),
          v.slice(0, n),
          attended.slice(0, n),
          lse.slice(0, n),
          headNorms.map(h -> h.slice(n)));
    }

    /** The activations in the order in which forward computes them. */
    List<Tensor> inOrder() {
      List<Tensor> all = new ArrayList<>(projected());
      all.addAll(List.of(q, k, attended));
      return all;
    }

    /** Where the projections write: before the head norms, if there are any. */
    private List<Tensor> projected() {
      return List.of(
          headNorms.map(HeadNorms.Saved::q).orElse(q),
          headNorms.map(HeadNorms.Saved::k).orElse(k),
          v);
    }
  }

  /** Gradients of what is saved, in the same shapes. */
  record Gradients(
      Tensor q, Tensor k, Tensor v, Tensor attended, Optional<HeadNorms.Gradients> headNorms) {
    static Gradients allocate(Buffers buffers, LayerPlan.Attention plan, int n) {
      return new Gradients(
          buffers.activation("scratch/dq", n, plan.query()),
          buffers.activation("scratch/dk", n, plan.keyValue()),
          buffers.activation("scratch/dv", n, plan.keyValue()),
          buffers.activation("scratch/dattended", n, plan.query()),
          plan.headNorms().map(norms -> HeadNorms.Gradients.allocate(buffers, plan, n)));
    }

    Gradients slice(int n) {
      return new Gradients(
          q.slice(0, n),
          k.slice(0, n),
          v.slice(0, n),
          attended.slice(0, n),
          headNorms.map(h -> h.slice(n)));
    }

    private List<Tensor> projected() {
      return List.of(
          headNorms.map(HeadNorms.Gradients::q).orElse(q),
          headNorms.map(HeadNorms.Gradients::k).orElse(k),
          v);
    }
  }

  /** out [N, C] from x [N, C]; queries see the keys of their own sequence. */
  void forward(
      Kernels kernels, Tensor out, Saved saved, Tensor x, Sequences batch, ForwardMode mode) {
    project(kernels, saved, x, batch, mode);
    kernels
        .attention()
        .attentionForward(
            heads(saved.attended),
            saved.lse,
            heads(saved.q),
            heads(saved.k),
            heads(saved.v),
            batch.segments().tensor(),
            rule);
    o.forward(kernels, out, saved.attended, mode);
  }

  /** Adds to dx [N, C] and to the projections' gradients. */
  void backward(
      Kernels kernels,
      Tensor dx,
      Gradients grads,
      Tensor dout,
      Saved saved,
      Tensor x,
      Sequences batch,
      ForwardMode mode) {
    backwardProjected(kernels, grads, dout, saved, batch, mode);
    inputs.backward(kernels, dx, grads.projected(), x, mode);
  }

  /** Adds to the projections' gradients, for an x that needs none. */
  void backwardParameters(
      Kernels kernels,
      Gradients grads,
      Tensor dout,
      Saved saved,
      Tensor x,
      Sequences batch,
      ForwardMode mode) {
    backwardProjected(kernels, grads, dout, saved, batch, mode);
    inputs.backwardParameters(kernels, grads.projected(), x, mode);
  }

  /** Fills grads with the gradients of what the inputs' projections gave. */
  private void backwardProjected(
      Kernels kernels,
      Gradients grads,
      Tensor dout,
      Saved saved,
      Sequences batch,
      ForwardMode mode) {
    kernels.moving().fill(grads.attended, 0);
    o.backward(kernels, grads.attended, dout, saved.attended, mode);
    kernels.moving().fill(grads.q, 0);
    kernels.moving().fill(grads.k, 0);
    kernels.moving().fill(grads.v, 0);
    kernels
        .attention()
        .attentionBackward(
            heads(grads.q),
            heads(grads.k),
            heads(grads.v),
            heads(grads.attended),
            heads(saved.attended),
            saved.lse,
            heads(saved.q),
            heads(saved.k),
            heads(saved.v),
            batch.segments().tensor(),
            rule);
    rope.ifPresent(r -> {
      batch.rope(r).backward(kernels, heads(grads.q), batch.positions().tensor());
      batch.rope(r).backward(kernels, heads(grads.k), batch.positions().tensor());
    });
    headNorms.ifPresent(n ->
        n.backward(
            kernels,
            grads.headNorms.orElseThrow(),
            grads.q,
            grads.k,
            saved.headNorms.orElseThrow()));
  }

  /**
   * As {@link #forward}, but keys and values go to a cache and are read there, those of earlier
   * calls too.
   */
  void decode(
      Kernels kernels,
      Tensor out,
      Saved saved,
      Tensor x,
      Sequences batch,
      KeyValueCache cache,
      ForwardMode mode) {
    project(kernels, saved, x, batch, mode);
    cache.put(kernels, saved.k, saved.v);
    kernels
        .attention()
        .attentionForward(
            heads(saved.attended),
            saved.lse,
            heads(saved.q),
            heads(cache.keys()),
            heads(cache.values()),
            batch.segments().tensor(),
            rule);
    o.forward(kernels, out, saved.attended, mode);
  }

  private void project(Kernels kernels, Saved saved, Tensor x, Sequences batch, ForwardMode mode) {
    inputs.forward(kernels, saved.projected(), x, mode);
    headNorms.ifPresent(n -> n.forward(kernels, saved.q, saved.k, saved.headNorms.orElseThrow()));
    rope.ifPresent(r -> {
      batch.rope(r).forward(kernels, heads(saved.q), batch.positions().tensor());
      batch.rope(r).forward(kernels, heads(saved.k), batch.positions().tensor());
    });
  }

  /** [N, H*D] as [N, H, D]. */
  private Tensor heads(Tensor x) {
    return x.reshape(x.rows(), x.cols() / headSize, headSize);
  }
}
