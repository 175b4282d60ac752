package dev.nibble.trainer.model;

import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/** RMSNorm of each head of queries and keys (arXiv:2302.05442), of weights [D]. */
record HeadNorms(Norm query, Norm key) {

  /**
   * What forward keeps for backward.
   *
   * @param q [N, H*D], before the norm
   * @param k [N, K*D]
   * @param rstdQ [N*H]
   * @param rstdK [N*K]
   */
  record Saved(Tensor q, Tensor k, Tensor rstdQ, Tensor rstdK) {
    static Saved allocate(Buffers buffers, Sizes s, int n) {
      return new Saved(
          buffers.activation("activations/raw_q", n, s.query()),
          buffers.activation("activations/raw_k", n, s.keyValue()),
          buffers.statistic("activations/rstd_q", n, s.heads()),
          buffers.statistic("activations/rstd_k", n, s.keyValueHeads()));
    }

    Saved slice(int n) {
      return new Saved(q.slice(0, n), k.slice(0, n), rstdQ.slice(0, n), rstdK.slice(0, n));
    }
  }

  /** Gradients of what goes in, [N, H*D] and [N, K*D]. */
  record Gradients(Tensor q, Tensor k) {
    static Gradients allocate(Buffers buffers, Sizes s, int n) {
      return new Gradients(
          buffers.activation("scratch/draw_q", n, s.query()),
          buffers.activation("scratch/draw_k", n, s.keyValue()));
    }

    Gradients slice(int n) {
      return new Gradients(q.slice(0, n), k.slice(0, n));
    }
  }

  void forward(Kernels kernels, Tensor q, Tensor k, Saved s) {
    query.forward(kernels, heads(q, query), s.rstdQ, heads(s.q, query));
    key.forward(kernels, heads(k, key), s.rstdK, heads(s.k, key));
  }

  /** Overwrites d from dq and dk. */
  void backward(Kernels kernels, Gradients d, Tensor dq, Tensor dk, Saved s) {
    kernels.moving().fill(d.q, 0);
    kernels.moving().fill(d.k, 0);
    query.backward(kernels, heads(d.q, query), heads(dq, query), heads(s.q, query), s.rstdQ);
    key.backward(kernels, heads(d.k, key), heads(dk, key), heads(s.k, key), s.rstdK);
  }

  /** [N, H*D] as [N*H, D]. */
  private static Tensor heads(Tensor x, Norm norm) {
    long size = norm.weight().elements();
    return x.reshape(x.elements() / size, size);
  }
}
