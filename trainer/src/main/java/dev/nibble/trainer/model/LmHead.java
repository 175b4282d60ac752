package dev.nibble.trainer.model;

import dev.nibble.adapters.Pass;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;

/**
 * The last norm, the output head and the loss, for chosen positions and in chunks: logits [N, V]
 * never exist as a whole, nor those of positions without a target.
 */
final class LmHead {
  private static final int MAX_CHUNK = 256;

  private final Norm norm;
  private final Projection head;
  private final int chunk;
  private final Tensor rows; // I32 [M], positions of this chunk
  private final Tensor targets; // I32 [M]
  private final Tensor hidden; // [M, C]
  private final Tensor rstd; // [M]
  private final Tensor normed; // [M, C]
  private final double softCap; // 0 for none
  private final Tensor logits; // [M, V]
  private final Tensor
      dlogits; // [M, V]; the logits themselves unless the cap's backward needs them
  private final Tensor loss; // [M]
  private final Tensor lse; // [M]
  private final Tensor dnormed; // [M, C]
  private final Tensor dhidden; // [M, C]
  private final int[] chunkRows;
  private final int[] chunkTargets;
  private int size; // M of the chunk at hand
  private Pass pass = Pass.EVALUATION; // of the chunk at hand

  LmHead(Norm norm, Projection head, Scope scope, ModelConfig c, int maxTokens) {
    this.norm = norm;
    this.head = head;
    this.chunk = chunk(maxTokens);
    this.rows = scope.allocate("logits/rows", DType.I32, chunk);
    this.targets = scope.allocate("logits/targets", DType.I32, chunk);
    this.hidden = scope.allocate("logits/hidden", DType.F32, chunk, c.sizes().hidden());
    this.rstd = scope.allocate("logits/rstd", DType.F32, chunk);
    this.normed = scope.allocate("logits/normed", DType.F32, chunk, c.sizes().hidden());
    this.logits = scope.allocate("logits/logits", DType.F32, chunk, c.sizes().vocab());
    this.softCap = c.finalSoftCap();
    this.dlogits =
        softCap == 0
            ? logits
            : scope.allocate("logits/dlogits", DType.F32, chunk, c.sizes().vocab());
    this.loss = scope.allocate("logits/loss", DType.F32, chunk);
    this.lse = scope.allocate("logits/lse", DType.F32, chunk);
    this.dnormed = scope.allocate("logits/dnormed", DType.F32, chunk, c.sizes().hidden());
    this.dhidden = scope.allocate("logits/dhidden", DType.F32, chunk, c.sizes().hidden());
    this.chunkRows = new int[chunk];
    this.chunkTargets = new int[chunk];
  }

  /** How many positions it works on at once, in batches of up to {@code maxTokens}. */
  static int chunk(int maxTokens) {
    return Math.min(MAX_CHUNK, maxTokens);
  }

  /** Loss of x [N, C] over the batch's targets. */
  LossSum evaluate(Kernels kernels, Tensor x, Batch batch) {
    LossSum sum = LossSum.ZERO;
    pass = Pass.EVALUATION;
    for (int at = 0; at < batch.length(); ) {
      at = nextChunk(batch, at);
      sum = sum.plus(forward(kernels, x));
    }
    return sum;
  }

  /** Loss of x [N, C]; adds its gradient to dx and to the head's and the norm's gradients. */
  LossSum train(Kernels kernels, Tensor dx, Tensor x, Batch batch, Pass whole) {
    LossSum sum = LossSum.ZERO;
    for (int at = 0; at < batch.length(); ) {
      pass = whole.part(at);
      at = nextChunk(batch, at);
      sum = sum.plus(forward(kernels, x));
      backward(kernels, dx);
    }
    return sum;
  }

  /** Logits [V] at some positions of x [N, C]. */
  float[][] logits(Kernels kernels, Tensor x, int[] positions) {
    float[][] result = new float[positions.length][];
    pass = Pass.EVALUATION;
    for (int at = 0; at < positions.length; at += chunk) {
      size = Math.min(chunk, positions.length - at);
      System.arraycopy(positions, at, chunkRows, 0, size);
      computeLogits(kernels, x);
      for (int i = 0; i < size; i++) {
        result[at + i] = logits.slice(i, i + 1L).toFloats();
      }
    }
    return result;
  }

  /** Collects the next positions with a target, from {@code at} on; gives where to go on. */
  private int nextChunk(Batch batch, int at) {
    size = 0;
    for (; at < batch.length() && size < chunk; at++) {
      if (batch.targets()[at] != Batch.IGNORE) {
        chunkRows[size] = at;
        chunkTargets[size++] = batch.targets()[at];
      }
    }
    return at;
  }

  private LossSum forward(Kernels kernels, Tensor x) {
    if (size == 0) {
      return LossSum.ZERO;
    }
    computeLogits(kernels, x);
    targets.put(chunkTargets);
    kernels.crossEntropyForward(
        loss.prefix(size), lse.prefix(size), logits.slice(0, size), targets.prefix(size));
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += loss.getFloat(i);
    }
    return new LossSum(sum, size);
  }

  private void computeLogits(Kernels kernels, Tensor x) {
    rows.put(chunkRows);
    kernels.gatherRowsForward(hidden.slice(0, size), x, rows.prefix(size));
    norm.forward(kernels, normed.slice(0, size), rstd.prefix(size), hidden.slice(0, size));
    head.forward(kernels, logits.slice(0, size), normed.slice(0, size), pass);
    if (softCap != 0) {
      kernels.softCapForward(logits.slice(0, size), softCap);
    }
  }

  private void backward(Kernels kernels, Tensor dx) {
    if (size == 0) {
      return;
    }
    Tensor z = logits.slice(0, size);
    Tensor dz = dlogits.slice(0, size);
    kernels.crossEntropyBackward(dz, lse.prefix(size), z, targets.prefix(size), 1);
    if (softCap != 0) {
      kernels.softCapBackward(dz, z, softCap);
    }
    kernels.fill(dnormed, 0);
    head.backward(kernels, dnormed.slice(0, size), dz, normed.slice(0, size), pass);
    kernels.fill(dhidden, 0);
    norm.backward(
        kernels,
        dhidden.slice(0, size),
        dnormed.slice(0, size),
        hidden.slice(0, size),
        rstd.prefix(size));
    kernels.gatherRowsBackward(dx, dhidden.slice(0, size), rows.prefix(size));
  }
}
