package dev.nibble.trainer.model;

import dev.nibble.adapters.Pass;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Causal grouped-query attention (arXiv:2305.13245) with rotary positions: out = o(softmax(q k^T /
 * sqrt(D)) v), where q, k and v are projections of x and rope turns q and k.
 */
record Attention(Projection q, Projection k, Projection v, Projection o, int headSize) {

  /**
   * What forward keeps for backward; q and k are already turned.
   *
   * @param q [N, H*D]
   * @param k [N, K*D]
   * @param v [N, K*D]
   * @param attended [N, H*D]: what o projects
   * @param lse [N, H]
   */
  record Saved(Tensor q, Tensor k, Tensor v, Tensor attended, Tensor lse) {
    static Saved allocate(Scope scope, LlamaConfig c, int n) {
      return new Saved(
          scope.allocate("activations/q", DType.F32, n, c.querySize()),
          scope.allocate("activations/k", DType.F32, n, c.keyValueSize()),
          scope.allocate("activations/v", DType.F32, n, c.keyValueSize()),
          scope.allocate("activations/attended", DType.F32, n, c.querySize()),
          scope.allocate("activations/attention_lse", DType.F32, n, c.heads()));
    }

    Saved slice(int n) {
      return new Saved(
          q.slice(0, n), k.slice(0, n), v.slice(0, n), attended.slice(0, n), lse.slice(0, n));
    }
  }

  /** Gradients of what is saved, in the same shapes. */
  record Gradients(Tensor q, Tensor k, Tensor v, Tensor attended) {
    static Gradients allocate(Scope scope, LlamaConfig c, int n) {
      return new Gradients(
          scope.allocate("scratch/dq", DType.F32, n, c.querySize()),
          scope.allocate("scratch/dk", DType.F32, n, c.keyValueSize()),
          scope.allocate("scratch/dv", DType.F32, n, c.keyValueSize()),
          scope.allocate("scratch/dattended", DType.F32, n, c.querySize()));
    }

    Gradients slice(int n) {
      return new Gradients(q.slice(0, n), k.slice(0, n), v.slice(0, n), attended.slice(0, n));
    }
  }

  /** out [N, C] from x [N, C]; queries see the keys of their own sequence. */
  void forward(Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, Pass pass) {
    project(kernels, s, x, at, pass);
    kernels.attentionForward(
        heads(s.attended), s.lse, heads(s.q), heads(s.k), heads(s.v), at.segments(), rule());
    o.forward(kernels, out, s.attended, pass);
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
      Pass pass) {
    kernels.fill(d.attended, 0);
    o.backward(kernels, d.attended, dout, s.attended, pass);
    kernels.fill(d.q, 0);
    kernels.fill(d.k, 0);
    kernels.fill(d.v, 0);
    kernels.attentionBackward(
        heads(d.q),
        heads(d.k),
        heads(d.v),
        heads(d.attended),
        heads(s.attended),
        s.lse,
        heads(s.q),
        heads(s.k),
        heads(s.v),
        at.segments(),
        rule());
    at.rope().backward(kernels, heads(d.q), at.positions());
    at.rope().backward(kernels, heads(d.k), at.positions());
    q.backward(kernels, dx, d.q, x, pass);
    k.backward(kernels, dx, d.k, x, pass);
    v.backward(kernels, dx, d.v, x, pass);
  }

  /**
   * As {@link #forward}, but keys and values go to a cache and are read there, those of earlier
   * calls too.
   */
  void decode(Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, KeyValueCache cache) {
    project(kernels, s, x, at, Pass.EVALUATION);
    cache.put(kernels, s.k, s.v, at.segments());
    kernels.attentionForward(
        heads(s.attended),
        s.lse,
        heads(s.q),
        heads(cache.keys()),
        heads(cache.values()),
        at.segments(),
        rule());
    o.forward(kernels, out, s.attended, Pass.EVALUATION);
  }

  private void project(Kernels kernels, Saved s, Tensor x, Sequences at, Pass pass) {
    q.forward(kernels, s.q, x, pass);
    k.forward(kernels, s.k, x, pass);
    v.forward(kernels, s.v, x, pass);
    at.rope().forward(kernels, heads(s.q), at.positions());
    at.rope().forward(kernels, heads(s.k), at.positions());
  }

  /** [N, H*D] as [N, H, D]. */
  private Tensor heads(Tensor x) {
    return x.reshape(x.rows(), x.cols() / headSize, headSize);
  }

  private AttentionRule rule() {
    return AttentionRule.causal(1 / Math.sqrt(headSize));
  }
}
