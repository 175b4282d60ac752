package dev.nibble.compute.kernels;

/** The normal distribution of mean 0 and deviation 1, in float64. */
final class NormalDistribution {
  /** Within it the series has converged, beyond it the fraction. */
  private static final double MIDDLE = 3;

  private static final int TERMS = 200;

  private NormalDistribution() {}

  /** exp(-x^2/2) / sqrt(2 pi). */
  static double density(double x) {
    return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  /**
   * The probability of less than x. In the middle 1/2 + density(x) (x + x^3/3 + x^5/(3 5) + ...);
   * in the tails density(x) / (x + 1/(x + 2/(x + 3/(x + ...)))) of more than x (Laplace's
   * fraction).
   */
  static double cumulative(double x) {
    if (Math.abs(x) < MIDDLE) {
      double sum = 0;
      double term = x;
      for (int k = 1; k < TERMS; k++) {
        sum += term;
        term *= x * x / (2 * k + 1);
      }
      return 0.5 + density(x) * sum;
    }
    double a = Math.abs(x);
    double fraction = a;
    for (int k = TERMS; k > 0; k--) {
      fraction = a + k / fraction;
    }
    double tail = density(a) / fraction;
    return x > 0 ? 1 - tail : tail;
  }
}
