package dev.nibble.quant.quip;

import dev.nibble.compute.weights.E8Lattice;
import dev.nibble.compute.weights.Lattice;
import dev.nibble.compute.weights.LowRank;
import dev.nibble.compute.weights.TiledMatrix;
import dev.nibble.quant.linalg.HostProducts;
import dev.nibble.quant.linalg.Orthonormal;
import dev.nibble.quant.linalg.SymmetricEigen;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Fits L R of rank k, both in lattice points, to a matrix E [O, I]: low-precision low-rank
 * factorisation, as CALDERA has it (arXiv:2405.18886). The error is tr((E - L R) H (E - L R)^T).
 *
 * <p>Without quantisation the best L are the largest eigenvectors of E H E^T, which is never made:
 * a subspace is multiplied by it, and the best R is L^T E. Then in turn
 *
 * <pre>{@code
 * L = E H R^T (R H R^T)^-1, rounded
 * R = (L^T L)^-1 L^T E,     rounded
 * }</pre>
 *
 * of which the pair with the least error is kept.
 */
final class LowRankFit {
  private static final int OVERSAMPLING = 8;
  private static final int FIRST_POWERS = 8;
  private static final int LATER_POWERS = 2;
  private static final float NOISE = 1e-6f;

  private final LowRank out;
  private final int rank;
  private final int outputs;
  private final int inputs;
  private final float[] moments;
  private final int subspace;

  /** [subspace, O] at random. */
  private final float[] noise;

  /** [subspace, O]: where the last fit found the largest eigenvectors. */
  private float[] basis;

  private int powers = FIRST_POWERS;

  /**
   * A fit into factors on the host.
   *
   * @param out of {@link Lattice} factors
   * @param moments H [I, I], by rows
   */
  LowRankFit(LowRank out, float[] moments, long seed) {
    this.out = out;
    this.moments = moments;
    rank = Math.toIntExact(out.rank());
    outputs = Math.toIntExact(out.left().cols());
    inputs = Math.toIntExact(out.right().cols());
    subspace = Math.min(rank + OVERSAMPLING, Math.min(outputs, inputs));
    Random random = new Random(seed);
    noise = new float[subspace * outputs];
    for (int i = 0; i < noise.length; i++) {
      noise[i] = (float) random.nextGaussian();
    }
    basis = noise;
  }

  /** Sets both factors next to 0. */
  void clear() {
    round(out.left(), new float[rank * outputs]);
    round(out.right(), new float[rank * inputs]);
  }

  /** L R, [O, I]. */
  float[] product() {
    return HostProducts.times(
        HostProducts.transposed(out.left().decoded(), rank), rank, out.right().decoded());
  }

  /**
   * Sets both factors.
   *
   * @param e by rows
   * @param turns of rounding both
   */
  void fit(float[] e, int turns) {
    float[] transposed = HostProducts.transposed(e, outputs);
    turn(e, transposed);
    float[] left = Arrays.copyOf(basis, rank * outputs);
    float[] right = HostProducts.times(left, outputs, e);
    share(left, right);
    round(out.left(), left);
    round(out.right(), right);
    Snapshot best = new Snapshot(out::over);
    double least = excess(transposed);
    for (int i = 0; i < turns; i++) {
      fitLeft(transposed);
      fitRight(e);
      double excess = excess(transposed);
      if (excess < least) {
        least = excess;
        best = new Snapshot(out::over);
      }
    }
    best.restore();
  }

  /** Turns the basis towards the largest eigenvectors of E H E^T, and sorts them. */
  private void turn(float[] e, float[] transposed) {
    for (int i = 0; i < powers; i++) {
      float[] inside = HostProducts.times(orthonormal(), outputs, e);
      basis = HostProducts.times(HostProducts.times(inside, inputs, moments), inputs, transposed);
    }
    powers = LATER_POWERS;
    float[] rows = orthonormal();
    float[] inside = HostProducts.times(rows, outputs, e);
    float[] weighted = HostProducts.times(inside, inputs, moments);
    float[] small = HostProducts.times(weighted, inputs, HostProducts.transposed(inside, subspace));
    float[] turned = SymmetricEigen.of(small, subspace).vectors(subspace);
    basis = HostProducts.times(turned, subspace, rows);
  }

  /** The basis with orthonormal rows, also where E has fewer dimensions than it. */
  private float[] orthonormal() {
    float[] rows = basis.clone();
    for (int k = 0; k < subspace; k++) {
      double length = Math.sqrt(square(rows, k * outputs, outputs));
      scale(rows, k * outputs, outputs, length > 0 ? (float) (1 / length) : 0);
    }
    for (int i = 0; i < rows.length; i++) {
      rows[i] += NOISE * noise[i];
    }
    return Orthonormal.rows(rows, subspace);
  }

  /** Gives a pair of rows one length, so that rounding costs as much in both factors. */
  private void share(float[] left, float[] right) {
    for (int k = 0; k < rank; k++) {
      double length = Math.sqrt(square(right, k * inputs, inputs));
      if (length > 0) {
        float root = (float) Math.sqrt(length);
        scale(left, k * outputs, outputs, root);
        scale(right, k * inputs, inputs, 1 / root);
      }
    }
  }

  private static double square(float[] x, int from, int n) {
    double sum = 0;
    for (int i = from; i < from + n; i++) {
      sum += (double) x[i] * x[i];
    }
    return sum;
  }

  private static void scale(float[] x, int from, int n, float factor) {
    for (int i = from; i < from + n; i++) {
      x[i] *= factor;
    }
  }

  private void fitLeft(float[] transposed) {
    float[] right = out.right().decoded();
    float[] weighted = HostProducts.times(right, inputs, moments);
    float[] square = HostProducts.times(weighted, inputs, HostProducts.transposed(right, rank));
    float[] target = HostProducts.times(weighted, inputs, transposed);
    round(out.left(), HostProducts.times(SymmetricEigen.of(square, rank).inverse(), rank, target));
  }

  private void fitRight(float[] e) {
    float[] left = out.left().decoded();
    float[] square = HostProducts.times(left, outputs, HostProducts.transposed(left, rank));
    float[] target = HostProducts.times(left, outputs, e);
    round(out.right(), HostProducts.times(SymmetricEigen.of(square, rank).inverse(), rank, target));
  }

  /** The error less that of no factors: tr(L R H R^T L^T) - 2 tr(L R H E^T). */
  private double excess(float[] transposed) {
    float[] left = out.left().decoded();
    float[] right = out.right().decoded();
    float[] weighted = HostProducts.times(right, inputs, moments);
    float[] inner = HostProducts.times(weighted, inputs, HostProducts.transposed(right, rank));
    float[] outer = HostProducts.times(left, outputs, HostProducts.transposed(left, rank));
    float[] cross = HostProducts.times(weighted, inputs, transposed);
    return HostProducts.dot(inner, outer) - 2 * HostProducts.dot(cross, left);
  }

  /** Rounds to the nearest points. */
  private static void round(TiledMatrix factor, float[] values) {
    Lattice lattice = (Lattice) factor;
    lattice.putScale(Math.sqrt(HostProducts.dot(values, values) / values.length));
    int n = E8Lattice.EIGHT;
    IntStream.range(0, values.length / n)
        .parallel()
        .forEach(
            eight -> lattice.put(eight, Arrays.copyOfRange(values, n * eight, n * (eight + 1))));
  }
}
