package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;

/**
 * Element-wise and column-wise operations: sums, scaling, activations, dropout, noise. See {@link
 * Kernels} for conventions.
 */
public interface PointwiseKernels {

  /** out[i] = a[i] + b[i]. out may be a or b. */
  void add(Tensor out, Tensor a, Tensor b);

  /** x[i] *= factor, in place. */
  void scale(Tensor x, double factor);

  /** Gated activation (arXiv:2002.05202): out = a(gate) * up. All [N, F]. */
  void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a);

  /** dup += dout * a(gate); dgate += dout * up * a'(gate), see {@link Activation}. */
  void gatedBackward(Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a);

  /** out = x P(x), see {@link Gelu}. */
  void geluForward(Tensor out, Tensor x, Gelu form);

  /** dx += dout (P(x) + x P'(x)). */
  void geluBackward(Tensor dx, Tensor dout, Tensor x, Gelu form);

  /** Soft cap of logits (arXiv:2408.00118), in place: x[i] = cap * tanh(x[i] / cap). */
  void softCapForward(Tensor x, double cap);

  /**
   * dx[i] *= 1 - (x[i] / cap)^2, in place on the gradient; it does not accumulate.
   *
   * @param x the output of forward, already capped
   */
  void softCapBackward(Tensor dx, Tensor x, double cap);

  /**
   * Inverted dropout: element i is dropped (0) when {@link Dropout#isDropped}(seed, i, rate), else
   * divided by (1 - rate). The mask is a pure function of seed and index: every set draws the same,
   * and backward draws it again.
   */
  void dropoutForward(Tensor out, Tensor x, double rate, long seed);

  /** dx += dout / (1 - rate) where forward kept the element. */
  void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed);

  /**
   * out[n, c] = x[n, c] * factors[c]. out may be x.
   *
   * @param out [N, C]
   * @param factors F32 [C]
   */
  void scaleColumns(Tensor out, Tensor x, Tensor factors);

  /** out[c] += sum_n a[n, c] b[n, c], F32 [C]: the gradient of {@link #scaleColumns}' factors. */
  void columnDots(Tensor out, Tensor a, Tensor b);

  /**
   * Noisy embeddings (NEFTune, arXiv:2310.05914): x[n, c] += alpha / sqrt(L C) * u, L the length of
   * the segment that n is in and u = {@link Dropout#uniform}(seed, n C + c). The gradient passes
   * unchanged.
   *
   * @param x [N, C]
   * @param segments I32 [S, 4]; rows that no segment covers are unchanged
   */
  void addNoise(Tensor x, Tensor segments, double alpha, long seed);
}
