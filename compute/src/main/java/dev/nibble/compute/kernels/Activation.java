package dev.nibble.compute.kernels;

/**
 * The activation of a gate: a(x) = x * s(w(x)), with s the logistic function. Its slope is s(w) + x
 * * s(w) * (1 - s(w)) * w'(x).
 */
public enum Activation {
  /** w(x) = x (arXiv:1702.03118). */
  SILU,

  /**
   * w(x) = 2 sqrt(2/pi) (x + 0.044715 x^3): the tanh form of GELU (arXiv:1606.08415), as 0.5 (1 +
   * tanh(u)) = s(2u).
   */
  GELU_TANH
}
