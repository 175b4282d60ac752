package dev.nibble.trainer.model;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * Causal grouped-query attention (arXiv:2305.13245) with rotary positions: out = o(softmax(cap(q
 * k^T * scale)) v), where q, k and v are projections of x, q and k perhaps normed head by head, and
 * rope turns q and k.
 *
 * @param inputs q, k and v
 * @param rope which of the model's ropes
 */
record Attention(
    Projections inputs,
    Optional<HeadNorms> headNorms,
    Projection o,
    AttentionRule rule,
    int headSize,
    int rope) {

  /**
   * What forward keeps for backward; q and k are already normed and turned.
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
    static Saved allocate(Buffers buffers, ModelConfig c, int n) {
      Sizes s = c.sizes();
      return new Saved(
          buffers.activation("activations/q", n, s.query()),
          buffers.activation("activations/k", n, s.keyValue()),
          buffers.activation("activations/v", n, s.keyValue()),
          buffers.activation("activations/attended", n, s.query()),
          buffers.statistic("activations/attention_lse", n, s.heads()),
          c.wiring().headNorms()
              ? Optional.of(HeadNorms.Saved.allocate(buffers, s, n))
              : Optional.empty());
    }

    Saved slice(int n) {
      return new Saved(
          q.slice(0, n),
          k.slice(0, n),
          v.slice(0, n),
          attended.slice(0, n),
          lse.slice(0, n),
          headNorms.map(s -> s.slice(n)));
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
    static Gradients allocate(Buffers buffers, ModelConfig c, int n) {
      Sizes s = c.sizes();
      return new Gradients(
          buffers.activation("scratch/dq", n, s.query()),
          buffers.activation("scratch/dk", n, s.keyValue()),
          buffers.activation("scratch/dv", n, s.keyValue()),
          buffers.activation("scratch/dattended", n, s.query()),
          c.wiring().headNorms()
              ? Optional.of(HeadNorms.Gradients.allocate(buffers, s, n))
              : Optional.empty());
    }

    Gradients slice(int n) {
      return new Gradients(
          q.slice(0, n),
          k.slice(0, n),
          v.slice(0, n),
          attended.slice(0, n),
          headNorms.map(d -> d.slice(n)));
    }

    private List<Tensor> projected() {
      return List.of(
          headNorms.map(HeadNorms.Gradients::q).orElse(q),
          headNorms.map(HeadNorms.Gradients::k).orElse(k),
          v);
    }
  }

  /** out [N, C] from x [N, C]; queries see the keys of their own sequence. */
  void forward(Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, ForwardMode mode) {
    project(kernels, s, x, at, mode);
    kernels
        .attention()
        .attentionForward(
            heads(s.attended),
            s.lse,
            heads(s.q),
            heads(s.k),
            heads(s.v),
            at.segments().tensor(),
            rule);
    o.forward(kernels, out, s.attended, mode);
  }

  /** Adds to dx [N, C] and to the projections' gradients. */
  void backward(
      Kernels kernels,
      Tensor dx,
      Gradients d,
      Tensor dout,
      Saved s,
      Tensor x,
      Sequences at,
      ForwardMode mode) {
    backwardProjected(kernels, d, dout, s, at, mode);
    inputs.backward(kernels, dx, d.projected(), x, mode);
  }

  /** Adds to the projections' gradients, for an x that needs none. */
  void backwardParameters(
      Kernels kernels,
      Gradients d,
      Tensor dout,
      Saved s,
      Tensor x,
      Sequences at,
      ForwardMode mode) {
    backwardProjected(kernels, d, dout, s, at, mode);
    inputs.backwardParameters(kernels, d.projected(), x, mode);
  }

  /** Fills d with the gradients of what the inputs' projections gave. */
  private void backwardProjected(
      Kernels kernels, Gradients d, Tensor dout, Saved s, Sequences at, ForwardMode mode) {
    kernels.moving().fill(d.attended, 0);
    o.backward(kernels, d.attended, dout, s.attended, mode);
    kernels.moving().fill(d.q, 0);
    kernels.moving().fill(d.k, 0);
    kernels.moving().fill(d.v, 0);
    kernels
        .attention()
        .attentionBackward(
            heads(d.q),
            heads(d.k),
            heads(d.v),
            heads(d.attended),
            heads(s.attended),
            s.lse,
            heads(s.q),
            heads(s.k),
            heads(s.v),
            at.segments().tensor(),
            rule);
    at.rope(rope).backward(kernels, heads(d.q), at.positions().tensor());
    at.rope(rope).backward(kernels, heads(d.k), at.positions().tensor());
    headNorms.ifPresent(
        n -> n.backward(kernels, d.headNorms.orElseThrow(), d.q, d.k, s.headNorms.orElseThrow()));
  }

  /**
   * As {@link #forward}, but keys and values go to a cache and are read there, those of earlier
   * calls too.
   */
  void decode(Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, KeyValueCache cache) {
    project(kernels, s, x, at, ForwardMode.EVALUATION);
    cache.put(kernels, s.k, s.v);
    kernels
        .attention()
        .attentionForward(
            heads(s.attended),
            s.lse,
            heads(s.q),
            heads(cache.keys()),
            heads(cache.values()),
            at.segments().tensor(),
            rule);
    o.forward(kernels, out, s.attended, ForwardMode.EVALUATION);
  }

  private void project(Kernels kernels, Saved s, Tensor x, Sequences at, ForwardMode mode) {
    inputs.forward(kernels, s.projected(), x, mode);
    headNorms.ifPresent(n -> n.forward(kernels, s.q, s.k, s.headNorms.orElseThrow()));
    at.rope(rope).forward(kernels, heads(s.q), at.positions().tensor());
    at.rope(rope).forward(kernels, heads(s.k), at.positions().tensor());
  }

  /** [N, H*D] as [N, H, D]. */
  private Tensor heads(Tensor x) {
    return x.reshape(x.rows(), x.cols() / headSize, headSize);
  }
}
