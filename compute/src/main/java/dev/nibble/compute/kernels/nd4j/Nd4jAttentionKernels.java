package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.AttentionKernels;
import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.tensor.Tensor;

/** Attention; each call is one {@link Nd4jAttention}. */
final class Nd4jAttentionKernels implements AttentionKernels {
  @Override
  public void attentionForward(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule) {
    new Nd4jAttention(q, k, rule).forward(out, lse, v, segments);
  }

  @Override
  public void attentionBackward(
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
      AttentionRule rule) {
    new Nd4jAttention(q, k, rule).backward(dq, dk, dv, dout, out, lse, v, segments);
  }
}
