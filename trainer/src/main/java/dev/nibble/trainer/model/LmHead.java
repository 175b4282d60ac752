package dev.nibble.trainer.model;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.HostAndDevice;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;

/**
 * The last norm, the output head and the loss, for chosen positions and in chunks: logits [N, V]
 * never exist as a whole, nor those of positions without a target.
 */
final class LmHead {
  private static final int MAX_CHUNK = 512;

  private final Norm norm;
  private final Projection head;
  private final int chunk;
  private final HostAndDevice rows; // I32 [N], the positions that are asked for
  private final HostAndDevice targets; // I32 [N]
  private final HostAndDevice loss; // F32 [N]
  private final Tensor hidden; // [M, C]
  private final Tensor rstd; // [M]
  private final Tensor normed; // [M, C]
  private final double softCap; // 0 for none
  private final Tensor logits; // [M, V]
  private final Tensor
      dlogits; // [M, V]; the logits themselves unless the cap's backward needs them
  private final Tensor lse; // [M]
  private final Tensor dnormed; // [M, C]
  private final Tensor dhidden; // [M, C]
  private final Tensor logitsOfOne; // F32 [V], on the host

  LmHead(Norm norm, Projection head, Buffers buffers, ModelConfig c, int maxTokens) {
    int width = c.sizes().hidden();
    int vocab = c.sizes().vocab();
    this.norm = norm;
    this.head = head;
    this.chunk = chunk(maxTokens);
    this.rows = buffers.indices("logits/rows", maxTokens);
    this.targets = buffers.indices("logits/targets", maxTokens);
    this.loss = HostAndDevice.allocate(buffers.scope(), "logits/loss", DType.F32, maxTokens);
    this.hidden = buffers.activation("logits/hidden", chunk, width);
    this.rstd = buffers.statistic("logits/rstd", chunk);
    this.normed = buffers.activation("logits/normed", chunk, width);
    this.logits = buffers.activation("logits/logits", chunk, vocab);
    this.softCap = c.finalSoftCap();
    this.dlogits = softCap == 0 ? logits : buffers.activation("logits/dlogits", chunk, vocab);
    this.lse = buffers.statistic("logits/lse", chunk);
    this.dnormed = buffers.activation("logits/dnormed", chunk, width);
    this.dhidden = buffers.activation("logits/dhidden", chunk, width);
    this.logitsOfOne = buffers.scope().allocateOnHost("logits/one", DType.F32, vocab);
  }

  /** How many positions it works on at once, in batches of up to {@code maxTokens}. */
  static int chunk(int maxTokens) {
    return Math.min(MAX_CHUNK, maxTokens);
  }

  /** Loss of x [N, C] over the batch's targets. */
  LossSum evaluate(Kernels kernels, Tensor x, Batch batch) {
    int count = supervise(kernels, batch);
    for (int from = 0; from < count; from += chunk) {
      forward(kernels, x, part(from, count), ForwardMode.EVALUATION);
    }
    return sum(kernels, count);
  }

  /** Loss of x [N, C]; adds its gradient to dx and to the head's and the norm's gradients. */
  LossSum train(Kernels kernels, Tensor dx, Tensor x, Batch batch, ForwardMode whole) {
    int count = supervise(kernels, batch);
    for (int from = 0; from < count; from += chunk) {
      ForwardMode mode = whole.part(from == 0 ? 0 : rows.host().getInt(from - 1L) + 1);
      Part part = part(from, count);
      forward(kernels, x, part, mode);
      backward(kernels, dx, part, mode);
    }
    return sum(kernels, count);
  }

  /** Logits [V] at some positions of x [N, C]. */
  float[][] logits(Kernels kernels, Tensor x, int[] positions) {
    float[][] result = new float[positions.length][];
    rows.prefix(positions.length).put(kernels, positions);
    for (int from = 0; from < positions.length; from += chunk) {
      Part part = part(from, positions.length);
      computeLogits(kernels, x, part, ForwardMode.EVALUATION);
      for (int i = 0; i < part.size; i++) {
        kernels.moving().copy(logitsOfOne, logits.slice(i, i + 1L));
        result[from + i] = logitsOfOne.toFloats();
      }
    }
    return result;
  }

  /** Some of the positions at hand. */
  private record Part(int from, int size) {
    Tensor of(HostAndDevice all) {
      return all.tensor().part(from, size);
    }
  }

  private Part part(int from, int count) {
    return new Part(from, Math.min(chunk, count - from));
  }

  /** Takes the positions that have a target; gives their number. */
  private int supervise(Kernels kernels, Batch batch) {
    int count = 0;
    for (int i = 0; i < batch.length(); i++) {
      if (batch.targets()[i] != Batch.IGNORE) {
        rows.host().setLong(count, i);
        targets.host().setLong(count++, batch.targets()[i]);
      }
    }
    rows.prefix(count).toDevice(kernels);
    targets.prefix(count).toDevice(kernels);
    return count;
  }

  /** The one time that the host waits for a pass. */
  private LossSum sum(Kernels kernels, int count) {
    Tensor losses = loss.prefix(count).toHost(kernels);
    LossSum sum = LossSum.ZERO;
    for (int from = 0; from < count; from += chunk) {
      Part part = part(from, count);
      double ofPart = 0;
      for (int i = 0; i < part.size; i++) {
        ofPart += losses.getFloat(from + i);
      }
      sum = sum.plus(new LossSum(ofPart, part.size));
    }
    return sum;
  }

  private void forward(Kernels kernels, Tensor x, Part part, ForwardMode mode) {
    computeLogits(kernels, x, part, mode);
    kernels
        .loss()
        .crossEntropyForward(
            part.of(loss), lse.prefix(part.size), logits.slice(0, part.size), part.of(targets));
  }

  private void computeLogits(Kernels kernels, Tensor x, Part part, ForwardMode mode) {
    Tensor h = hidden.slice(0, part.size);
    Tensor n = normed.slice(0, part.size);
    Tensor z = logits.slice(0, part.size);
    kernels.moving().gatherRowsForward(h, x, part.of(rows));
    norm.forward(kernels, n, rstd.prefix(part.size), h);
    head.forward(kernels, z, n, mode);
    if (softCap != 0) {
      kernels.pointwise().softCapForward(z, softCap);
    }
  }

  private void backward(Kernels kernels, Tensor dx, Part part, ForwardMode mode) {
    Tensor z = logits.slice(0, part.size);
    Tensor dz = dlogits.slice(0, part.size);
    Tensor dn = dnormed.slice(0, part.size);
    Tensor dh = dhidden.slice(0, part.size);
    kernels.loss().crossEntropyBackward(dz, lse.prefix(part.size), z, part.of(targets), 1);
    if (softCap != 0) {
      kernels.pointwise().softCapBackward(dz, z, softCap);
    }
    kernels.moving().fill(dn, 0);
    head.backward(kernels, dn, dz, normed.slice(0, part.size), mode);
    kernels.moving().fill(dh, 0);
    norm.backward(kernels, dh, dn, hidden.slice(0, part.size), rstd.prefix(part.size));
    kernels.moving().gatherRowsBackward(dx, dh, part.of(rows));
  }
}
