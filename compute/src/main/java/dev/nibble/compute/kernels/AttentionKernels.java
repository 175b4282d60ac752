package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;

/** Attention within the segments of a packed batch. See {@link Kernels} for conventions. */
public interface AttentionKernels {

  /**
   * softmax(z) v within each segment, z = cap(scale * q k^T); query head h reads key/value head h /
   * (H/K). The query of position p, counted among its segment's keys, sees keys 0 to p; with a
   * window W (arXiv:2004.05150) keys p - W + 1 to p; all keys where the rule is not causal. cap(z)
   * is z, or softCap * tanh(z / softCap).
   *
   * @param out [N, H, D]
   * @param lse [N, H]: log-sum-exp of z, kept for backward
   * @param q [N, H, D]
   * @param k [M, K, D]
   * @param v [M, K, D]
   * @param segments I32 [S, 4]; rows of out that no segment covers are left as they are
   */
  void attentionForward(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule);

  /**
   * With P = exp(z - lse), delta = sum_d dout*out, dS = P * (dout v^T - delta), times 1 -
   * (z/softCap)^2 where scores are capped: dq += scale dS k; dk += scale dS^T q; dv += P^T dout.
   * Segments must have qLength = kLength.
   */
  void attentionBackward(
      Tensor dq,
      Tensor dk,
      Tensor dv,
      Tensor dout,
      Tensor out,
      Tensor lse,
      Tensor q,
      Tensor k,
      Tensor v,
      Tensor segments,
      AttentionRule rule);
}
