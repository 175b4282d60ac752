package dev.nibble.quant;

/** What the errors of the columns before a block move the block by, see {@link HessianFactor}. */
public final class Feedback {
  /** Columns of errors at a time, whose part of the rows stays in a core's first-level cache. */
  private static final int TOGETHER = 32;

  private final float[][] factors;

  /** {@code factors} [columns of the block, columns before it]: the transpose of R_<B,B R_BB^-1. */
  Feedback(float[][] factors) {
    this.factors = factors;
  }

  /** The factor of an earlier column's error for column j of the block. */
  float factor(int j, int column) {
    return factors[j][column];
  }

  /**
   * block[j][r] += sum over columns k of errors[k][r] * factors[j][k], for all rows r.
   *
   * @param errors original less rounded, [columns, rows]; about a hundred rows stay in the caches
   * @param block [columns of the block, rows]
   */
  public void add(float[][] errors, float[][] block) {
    int before = factors.length == 0 ? 0 : factors[0].length;
    for (int k = 0; k < before; k += TOGETHER) {
      int end = Math.min(before, k + TOGETHER);
      int j = 0;
      for (; j + 2 <= block.length; j += 2) {
        two(errors, k, end, j, block);
      }
      for (; j < block.length; j++) {
        for (int c = k; c < end; c++) {
          one(block[j], factors[j][c], errors[c]);
        }
      }
    }
  }

  private void two(float[][] errors, int from, int to, int j, float[][] block) {
    float[] f = factors[j];
    float[] g = factors[j + 1];
    int k = from;
    for (; k + 4 <= to; k += 4) {
      four(block[j], block[j + 1], f, g, k, errors[k], errors[k + 1], errors[k + 2], errors[k + 3]);
    }
    for (; k < to; k++) {
      one(block[j], f[k], errors[k]);
      one(block[j + 1], g[k], errors[k]);
    }
  }

  private static void one(float[] x, float factor, float[] error) {
    for (int r = 0; r < x.length; r++) {
      x[r] = Math.fma(factor, error[r], x[r]);
    }
  }

  /**
   * Two columns take from four, which are loaded once for both. One index for all arrays: with
   * another for some the compiler would make no vectors of it, as they could overlap.
   */
  private static void four(
      float[] x,
      float[] y,
      float[] f,
      float[] g,
      int k,
      float[] p,
      float[] q,
      float[] s,
      float[] t) {
    float xp = f[k];
    float xq = f[k + 1];
    float xs = f[k + 2];
    float xt = f[k + 3];
    float yp = g[k];
    float yq = g[k + 1];
    float ys = g[k + 2];
    float yt = g[k + 3];
    for (int r = 0; r < x.length; r++) {
      float a = p[r];
      float b = q[r];
      float c = s[r];
      float d = t[r];
      x[r] = Math.fma(xp, a, Math.fma(xq, b, Math.fma(xs, c, Math.fma(xt, d, x[r]))));
      y[r] = Math.fma(yp, a, Math.fma(yq, b, Math.fma(ys, c, Math.fma(yt, d, y[r]))));
    }
  }
}
