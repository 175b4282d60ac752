package dev.nibble.compute.kernels.cuda.attention;

import dev.nibble.compute.kernels.AttentionKernels;
import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.MatrixOperations;
import dev.nibble.compute.kernels.cuda.work.Arguments;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Attention on a GPU. The lengths of segments are known to the device only, so a launch has as many
 * blocks as there can be tiles, and each block finds its tile.
 */
public final class CudaAttentionKernels implements AttentionKernels {
  /** A window that tells kernels that a query sees later keys too. */
  private static final int ALL_KEYS = -1;

  // Scores and outputs; scores, their gradients, and those of keys and values; or of queries.
  private static final int FORWARD_PRODUCTS = 2;
  private static final int KEY_PRODUCTS = 4;
  private static final int QUERY_PRODUCTS = 3;

  private static final int DELTA_THREADS = 256;
  private static final int DELTA_WARPS = DELTA_THREADS / 32;

  /** Sums of dout and out, one for each query of each head; more heads take several rounds. */
  private static final long DELTAS = 2L << 20;

  private final Launch launch;
  private final Tensor delta;

  /** Kernels that launch on the set's stream. */
  public CudaAttentionKernels(Launch launch, Scope scratch) {
    this.launch = launch;
    delta = scratch.allocate("scratch/attention", DType.F32, DELTAS);
  }

  @Override
  public void attentionForward(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule) {
    requireHeads(q, k, lse, segments);
    Arguments.requireAlike("attention", q, out);
    Arguments.requireAlike("attention", k, v);
    AttentionVariant variant = AttentionVariant.of(q, out, k, v);
    variant
        .begin(launch, variant.forward, q.dtype())
        .tensor(out)
        .tensor(lse)
        .tensor(q)
        .tensor(k)
        .tensor(v);
    rule(q, k, segments, rule)
        .computes(MatrixOperations.ofAttention(q, k, segments, rule, FORWARD_PRODUCTS))
        .grid(
            variant.tiles(q.dim(0), segments),
            q.dim(1),
            1,
            variant.threads(),
            variant.sharedOfForward(q.dim(2)));
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
    requireHeads(q, k, lse, segments);
    Arguments.requireAlike("attention", q, dq, dout, out);
    Arguments.requireAlike("attention", k, dk, dv, v);
    if (q.elements() == 0) {
      return;
    }
    long group = q.dim(1) / k.dim(1);
    long keyHeads = Math.min(k.dim(1), DELTAS / (q.dim(0) * group));
    Arguments.require(keyHeads > 0, "attention", "fewer tokens at once", q);
    for (long keyHead = 0; keyHead < k.dim(1); keyHead += keyHeads) {
      long some = Math.min(keyHeads, k.dim(1) - keyHead);
      backward(dq, dk, dv, dout, out, lse, q, k, v, segments, rule, keyHead * group, some * group);
    }
  }

  /** Backward of some query heads, whose deltas fit. */
  private void backward(
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
      AttentionRule rule,
      long firstHead,
      long heads) {
    launch
        .kernel("attention_delta", q.dtype())
        .tensor(delta)
        .tensor(dout)
        .tensor(out)
        .i64(q.dim(0))
        .i32(q.dim(1))
        .i32(q.dim(2))
        .i32(firstHead)
        .i32(heads)
        .moves((double) q.dim(0) * heads * (2 * q.dim(2) * q.dtype().bytes() + Float.BYTES))
        .blocks(Math.ceilDiv(q.dim(0) * heads, DELTA_WARPS), DELTA_THREADS);
    AttentionVariant variant = AttentionVariant.of(q, dq, dk, dv, dout, k, v);
    variant
        .begin(launch, variant.backwardKeys, q.dtype())
        .tensor(dk)
        .tensor(dv)
        .tensor(dout)
        .tensor(lse)
        .tensor(delta)
        .tensor(q)
        .tensor(k)
        .tensor(v);
    rule(q, k, segments, rule)
        .i32(firstHead)
        .computes(
            MatrixOperations.ofAttention(q, k, segments, rule, KEY_PRODUCTS) * heads / q.dim(1))
        .grid(
            variant.tiles(k.dim(0), segments),
            heads / (q.dim(1) / k.dim(1)),
            1,
            variant.threads(),
            variant.sharedOfBackwardKeys(q.dim(2)));
    variant
        .begin(launch, variant.backwardQueries, q.dtype())
        .tensor(dq)
        .tensor(dout)
        .tensor(lse)
        .tensor(delta)
        .tensor(q)
        .tensor(k)
        .tensor(v);
    rule(q, k, segments, rule)
        .i32(firstHead)
        .computes(
            MatrixOperations.ofAttention(q, k, segments, rule, QUERY_PRODUCTS) * heads / q.dim(1))
        .grid(
            variant.tiles(q.dim(0), segments),
            heads,
            1,
            variant.threads(),
            variant.sharedOfBackwardQueries(q.dim(2)));
  }

  private Launch rule(Tensor q, Tensor k, Tensor segments, AttentionRule rule) {
    return launch
        .tensor(segments)
        .i32(segments.rows())
        .i32(q.dim(1))
        .i32(k.dim(1))
        .i32(q.dim(2))
        .i64(q.dim(0))
        .i64(k.dim(0))
        .f32(rule.scale())
        .i32(rule.isCausal() ? rule.window() : ALL_KEYS)
        .f32(rule.softCap());
  }

  private static void requireHeads(Tensor q, Tensor k, Tensor lse, Tensor segments) {
    Arguments.requireActivations("attention", q);
    Arguments.requireType("attention", q.dtype(), k);
    Arguments.requireType("attention", DType.F32, lse);
    Arguments.requireType("attention", DType.I32, segments);
    boolean fit =
        q.shape().rank() == 3
            && k.shape().rank() == 3
            && q.dim(2) == k.dim(2)
            && q.dim(2) <= AttentionVariant.MOST_SIZE
            && k.dim(1) > 0
            && q.dim(1) % k.dim(1) == 0
            && lse.elements() == q.dim(0) * q.dim(1)
            && segments.cols() == 4;
    Arguments.require(
        fit,
        "attention",
        "q [N, H, D], k [M, K, D] with K dividing H and D at most 256, lse [N, H], segments [S, 4]",
        q,
        k,
        lse,
        segments);
  }
}
