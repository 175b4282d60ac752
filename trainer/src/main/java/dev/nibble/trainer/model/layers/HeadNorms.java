package dev.nibble.trainer.model.layers;

import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.config.LayerPlan;

/** RMSNorm of each head of queries and keys (arXiv:2302.05442), of weights [D]. */
public record HeadNorms(Norm query, Norm key) {

  /**
   * What forward keeps for backward.
   *
   * @param q [N, H*D], before the norm
   * @param k [N, K*D]
   * @param rstdQ [N*H]
   * @param rstdK [N*K]
   */
  record Saved(Tensor q, Tensor k, Tensor rstdQ, Tensor rstdK) {
    static Saved allocate(Buffers buffers, LayerPlan.Attention plan, int n) {
      return new Saved(
          buffers.activation("activations/raw_q", n, plan.query()),
          buffers.activation("activations/raw_k", n, plan.keyValue()),
          buffers.statistic("activations/rstd_q", n, plan.heads()),
          buffers.statistic("activations/rstd_k", n, plan.keyValueHeads()));
    }

    Saved slice(int n) {
      return new Saved(q.slice(0, n), k.slice(0, n), rstdQ.slice(0, n), rstdK.slice(0, n));
    }
  }

  /** Gradients of what goes in, [N, H*D] and [N, K*D]. */
  record Gradients(Tensor q, Tensor k) {
    static Gradients allocate(Buffers buffers, LayerPlan.Attention plan, int n) {
      return new Gradients(
          buffers.activation("scratch/draw_q", n, plan.query()),
          buffers.activation("scratch/draw_k", n, plan.keyValue()));
    }

    Gradients slice(int n) {
      return new Gradients(q.slice(0, n), k.slice(0, n));
    }
  }

  void forward(Kernels kernels, Tensor q, Tensor k, Saved saved) {
    query.forward(kernels, heads(q, query), saved.rstdQ, heads(saved.q, query));
    key.forward(kernels, heads(k, key), saved.rstdK, heads(saved.k, key));
  }

  /** Overwrites grads from dq and dk. */
  void backward(Kernels kernels, Gradients grads, Tensor dq, Tensor dk, Saved saved) {
    kernels.moving().fill(grads.q, 0);
    kernels.moving().fill(grads.k, 0);
    query.backward(
        kernels, heads(grads.q, query), heads(dq, query), heads(saved.q, query), saved.rstdQ);
    key.backward(kernels, heads(grads.k, key), heads(dk, key), heads(saved.k, key), saved.rstdK);
  }

  /** [N, H*D] as [N*H, D]. */
  private static Tensor heads(Tensor x, Norm norm) {
    long size = norm.weight().elements();
    return x.reshape(x.elements() / size, size);
  }
}
