package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.HostAndDevice;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.objective.Outputs.LogitsGradient;
import dev.nibble.trainer.objective.Outputs.LogitsReader;

/**
 * The last norm and the output head, for chosen positions and in chunks: logits [N, V] never exist
 * as a whole, nor those of positions that nobody asks for.
 */
public final class LmHead {
  private static final int MAX_CHUNK = 512;

  private final Norm norm;
  private final Projection head;
  private final int chunk;
  private final HostAndDevice rows; // I32 [N], the positions that are asked for
  private final Tensor hidden; // [M, C]
  private final Tensor rstd; // [M]
  private final Tensor normed; // [M, C]
  private final double softCap; // 0 for none
  private final Tensor logits; // [M, V]
  private final Tensor
      dlogits; // [M, V]; the logits themselves unless the cap's backward needs them
  private final Tensor dnormed; // [M, C]
  private final Tensor dhidden; // [M, C]
  private final Tensor logitsOfOne; // F32 [V], on the host

  /**
   * Takes its buffers.
   *
   * @param maxTokens of a batch
   */
  public LmHead(
      Norm norm, Projection head, Buffers buffers, ModelConfig c, int maxTokens, boolean trains) {
    int width = c.sizes().hidden();
    int vocab = c.sizes().vocab();
    this.norm = norm;
    this.head = head;
    this.chunk = chunk(maxTokens);
    int backwardChunk = trains ? chunk : 0;
    this.rows = buffers.indices("logits/rows", maxTokens);
    this.hidden = buffers.activation("logits/hidden", chunk, width);
    this.rstd = buffers.statistic("logits/rstd", chunk);
    this.normed = buffers.activation("logits/normed", chunk, width);
    this.logits = buffers.activation("logits/logits", chunk, vocab);
    this.softCap = c.finalSoftCap();
    this.dlogits =
        softCap == 0 ? logits : buffers.activation("logits/dlogits", backwardChunk, vocab);
    this.dnormed = buffers.activation("logits/dnormed", backwardChunk, width);
    this.dhidden = buffers.activation("logits/dhidden", backwardChunk, width);
    this.logitsOfOne = buffers.scope().allocateOnHost("logits/one", DType.F32, vocab);
  }

  /** The number of positions that it works on at once, in batches of up to {@code maxTokens}. */
  public static int chunk(int maxTokens) {
    return Math.min(MAX_CHUNK, maxTokens);
  }

  /**
   * Reads the logits at some positions of x [N, C].
   *
   * @param mode of the pass that made x
   */
  void read(Kernels kernels, Tensor x, int[] positions, ForwardMode mode, LogitsReader reader) {
    rows.prefix(positions.length).put(kernels, positions);
    for (int from = 0; from < positions.length; from += chunk) {
      Part part = part(from, positions.length);
      reader.read(from, forward(kernels, x, part, mode(mode, positions, from)));
    }
  }

  /**
   * Adds the gradient of a loss of the logits at some positions of x [N, C] to dx, and to the
   * gradients of what trains in the norm and the head.
   *
   * @param mode of the pass that made x
   */
  void accumulate(
      Kernels kernels,
      Tensor dx,
      Tensor x,
      int[] positions,
      ForwardMode mode,
      LogitsGradient loss) {
    rows.prefix(positions.length).put(kernels, positions);
    for (int from = 0; from < positions.length; from += chunk) {
      Part part = part(from, positions.length);
      ForwardMode ofPart = mode(mode, positions, from);
      Tensor z = forward(kernels, x, part, ofPart);
      Tensor dz = dlogits.slice(0, part.size);
      loss.differentiate(dz, from, z);
      backward(kernels, dx, dz, z, part, ofPart);
    }
  }

  /**
   * Logits [V] at some positions of x [N, C].
   *
   * @param mode of the pass that made x
   */
  float[][] logits(Kernels kernels, Tensor x, int[] positions, ForwardMode mode) {
    float[][] result = new float[positions.length][];
    read(
        kernels,
        x,
        positions,
        mode,
        (from, z) -> {
          for (int i = 0; i < z.rows(); i++) {
            kernels.moving().copy(logitsOfOne, z.slice(i, i + 1L));
            result[from + i] = logitsOfOne.toFloats();
          }
        });
    return result;
  }

  /** A chunk of the positions asked for. */
  private record Part(int from, int size) {
    Tensor of(HostAndDevice all) {
      return all.tensor().part(from, size);
    }
  }

  private Part part(int from, int count) {
    return new Part(from, Math.min(chunk, count - from));
  }

  /** The mode of a chunk: each draws dropout masks of its own. */
  private static ForwardMode mode(ForwardMode whole, int[] positions, int from) {
    return whole.part(from == 0 ? 0 : positions[from - 1] + 1);
  }

  /** Logits [M, V]. */
  private Tensor forward(Kernels kernels, Tensor x, Part part, ForwardMode mode) {
    Tensor h = hidden.slice(0, part.size);
    Tensor n = normed.slice(0, part.size);
    Tensor z = logits.slice(0, part.size);
    kernels.moving().gatherRowsForward(h, x, part.of(rows));
    norm.forward(kernels, n, rstd.prefix(part.size), h);
    head.forward(kernels, z, n, mode);
    if (softCap != 0) {
      kernels.pointwise().softCapForward(z, softCap);
    }
    return z;
  }

  private void backward(
      Kernels kernels, Tensor dx, Tensor dz, Tensor z, Part part, ForwardMode mode) {
    Tensor dn = dnormed.slice(0, part.size);
    Tensor dh = dhidden.slice(0, part.size);
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
