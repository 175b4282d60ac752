package dev.nibble.quant.quip;

import dev.nibble.compute.weights.Lattice;
import dev.nibble.compute.weights.LowRank;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.linalg.HostProducts;

/**
 * CALDERA (Saha et al., arXiv:2405.18886): W = Q + L R with all three in lattice points, in turn L
 * R fitted to W - Q and Q rounded from W - L R. The error tr((W - Q - L R) H (W - Q - L R)^T) does
 * not always fall, so that the best of all rounds is kept, and rounded again in passes.
 */
final class CalderaSolver {
  /** Turns of L and R in each round; more change little. */
  private static final int TURNS = 5;

  private final LowRank factors;
  private final Lattice lattice;
  private final HessianFactor factor;
  private final float[] moments;
  private final long seed;

  /**
   * A solver into a matrix on the host.
   *
   * @param factor of the rotated moments
   * @param moments H [I, I] as the factor has them, by rows
   */
  CalderaSolver(Rotated out, HessianFactor factor, float[] moments, long seed) {
    this.factors = out.lowRank().orElseThrow();
    this.lattice = (Lattice) out.base();
    this.factor = factor;
    this.moments = moments;
    this.seed = seed;
  }

  /**
   * Sets Q, L and R.
   *
   * @param w rotated, by rows
   * @param passes of the last rounding of Q
   */
  void solve(float[] w, int rounds, int passes) {
    LowRankFit fit = new LowRankFit(factors, moments, seed);
    if (HostProducts.dot(w, w) == 0) {
      fit.clear();
      round(w, w, 0);
      return;
    }
    float[] rest = w;
    double least = Double.POSITIVE_INFINITY;
    Snapshot best = snapshot();
    for (int round = 0; round < rounds; round++) {
      fit.fit(rest, TURNS);
      double error = round(w, fit.product(), 0);
      if (error < least) {
        least = error;
        best = snapshot();
      }
      rest = HostProducts.minus(w, lattice.decoded());
    }
    best.restore();
    if (!(round(w, fit.product(), passes) < least)) {
      best.restore();
    }
  }

  private Snapshot snapshot() {
    return new Snapshot(each -> {
      lattice.over(each);
      factors.over(each);
    });
  }

  /** Rounds Q from W - L R; the error. */
  private double round(float[] w, float[] product, int passes) {
    float[] rest = HostProducts.minus(w, product);
    new LatticeRounding(lattice).solve(rest, factor, moments, passes);
    float[] error = HostProducts.minus(rest, lattice.decoded());
    int inputs = Math.toIntExact(lattice.cols());
    return HostProducts.dot(HostProducts.times(error, inputs, moments), error);
  }
}
