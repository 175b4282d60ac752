package dev.nibble.compute.kernels;

/**
 * GELU (arXiv:1606.08415), x * P(x) with P the distribution function of a normal variable, and its
 * two approximations, in which P is the logistic function of w(x).
 */
public enum Gelu {
  /** P itself: (1 + erf(x / sqrt(2))) / 2. */
  EXACT,

  /** w(x) = 2 sqrt(2/pi) (x + 0.044715 x^3). */
  TANH,

  /** w(x) = 1.702 x, as in CLIP. */
  QUICK
}
