package dev.nibble.trainer.model.layers;

import dev.nibble.compute.kernels.HostAndDevice;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.Rope;
import java.util.List;

/** Cosines and sines of one rope for positions 0 to P-1, of the length they were filled for. */
final class RopeTables {
  private final Rope rope;
  private final HostAndDevice cos; // F32 [P, R]
  private final HostAndDevice sin; // F32 [P, R]
  private final float[] cosRow;
  private final float[] sinRow;
  private int filledFor = -1;

  private RopeTables(Rope rope, HostAndDevice cos, HostAndDevice sin) {
    this.rope = rope;
    this.cos = cos;
    this.sin = sin;
    this.cosRow = new float[rope.rotated() / 2];
    this.sinRow = new float[rope.rotated() / 2];
  }

  /** One for each of a model's ropes. */
  static List<RopeTables> allocate(Scope scope, ModelConfig config, int positions) {
    return config.ropes().stream()
        .map(rope ->
            new RopeTables(
                rope,
                HostAndDevice.allocate(
                    scope, "scratch/rope_cos", DType.F32, positions, rope.rotated() / 2),
                HostAndDevice.allocate(
                    scope, "scratch/rope_sin", DType.F32, positions, rope.rotated() / 2)))
        .toList();
  }

  /**
   * Sets the angles for samples of up to {@code length} tokens, where those depend on it. Angle of
   * position p and pair i: p times the pair's frequency, rounded to float32 where transformers
   * rounds.
   */
  void fill(Kernels kernels, int length) {
    int wanted = rope.scaling().representative(length);
    if (wanted == filledFor) {
      return;
    }
    float[] frequencies = rope.frequencies(wanted);
    float factor = (float) rope.scaling().attentionFactor();
    for (int p = 0; p < cos.host().rows(); p++) {
      for (int i = 0; i < frequencies.length; i++) {
        float angle = p * frequencies[i];
        cosRow[i] = (float) Math.cos(angle) * factor;
        sinRow[i] = (float) Math.sin(angle) * factor;
      }
      cos.host().slice(p, p + 1L).put(cosRow);
      sin.host().slice(p, p + 1L).put(sinRow);
    }
    cos.toDevice(kernels);
    sin.toDevice(kernels);
    filledFor = wanted;
  }

  /** Rotates each head of x [N, H, D] by its token's position, in place. */
  void forward(Kernels kernels, Tensor x, Tensor positions) {
    kernels.norms().ropeForward(x, cos.tensor(), sin.tensor(), positions);
  }

  /** Rotates the gradient back, in place. */
  void backward(Kernels kernels, Tensor dx, Tensor positions) {
    kernels.norms().ropeBackward(dx, cos.tensor(), sin.tensor(), positions);
  }
}
