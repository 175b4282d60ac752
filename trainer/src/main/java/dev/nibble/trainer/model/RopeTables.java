package dev.nibble.trainer.model;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Cosines and sines of the rotary embedding (arXiv:2104.09864) for positions 0 to P-1.
 *
 * @param cos F32 [P, D/2]
 * @param sin F32 [P, D/2]
 */
record RopeTables(Tensor cos, Tensor sin) {

  /**
   * Angle of position p and pair i: p * scaled(theta^(-2i/D)), rounded to float32 where
   * transformers rounds.
   */
  static RopeTables allocate(Scope scope, LlamaConfig config, int positions) {
    int pairs = config.headSize() / 2;
    float[] cos = new float[Math.multiplyExact(positions, pairs)];
    float[] sin = new float[cos.length];
    for (int i = 0; i < pairs; i++) {
      float exponent = 2f * i / config.headSize();
      float frequency = 1 / (float) Math.pow((float) config.ropeTheta(), exponent);
      float scaled = config.ropeScaling().apply(frequency);
      for (int p = 0; p < positions; p++) {
        float angle = p * scaled;
        cos[p * pairs + i] = (float) Math.cos(angle);
        sin[p * pairs + i] = (float) Math.sin(angle);
      }
    }
    return new RopeTables(
        scope.allocate("scratch/rope_cos", DType.F32, positions, pairs).put(cos),
        scope.allocate("scratch/rope_sin", DType.F32, positions, pairs).put(sin));
  }

  /** Turns each head of x [N, H, D] by its token's position, in place. */
  void forward(Kernels kernels, Tensor x, Tensor positions) {
    kernels.ropeForward(x, cos, sin, positions);
  }

  /** Turns the gradient back, in place. */
  void backward(Kernels kernels, Tensor dx, Tensor positions) {
    kernels.ropeBackward(dx, cos, sin, positions);
  }
}
