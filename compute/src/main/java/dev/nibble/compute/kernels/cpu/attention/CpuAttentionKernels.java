package dev.nibble.compute.kernels.cpu.attention;

import dev.nibble.compute.kernels.AttentionKernels;
import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.cpu.onednn.MatMuls;
import dev.nibble.compute.kernels.cpu.products.Gemm;
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/** Attention in blocks of queries and keys, forwards and backwards over the same products. */
public final class CpuAttentionKernels implements AttentionKernels {
  private final AttentionForward forward;
  private final AttentionBackward backward;

  /**
   * Kernels on the workers of these loops.
   *
   * @param matMuls products of BF16 activations; empty where the set takes none
   */
  public CpuAttentionKernels(Gemm gemm, Optional<MatMuls> matMuls, ParallelLoops loops) {
    var products =
        new AttentionProducts(new F32BlockProducts(gemm), matMuls.map(Bf16BlockProducts::new));
    forward = new AttentionForward(products, loops);
    backward = new AttentionBackward(products, loops);
  }

  @Override
  public void attentionForward(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule) {
    forward.run(out, lse, q, k, v, segments, rule);
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
    backward.run(dq, dk, dv, dout, out, lse, q, k, v, segments, rule);
  }
}
