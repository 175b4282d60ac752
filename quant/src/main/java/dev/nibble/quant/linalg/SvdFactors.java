package dev.nibble.quant.linalg;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.Tensor;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.ejml.data.DMatrixRMaj;

/**
 * The best approximation of a matrix by one of rank r: its r largest singular values and vectors,
 * with the root of each value on either side.
 *
 * <p>Matrices of up to {@value #SMALL} rows or columns are decomposed in full. Larger ones, where
 * that takes minutes, go through randomised subspace iteration (Halko, Martinsson and Tropp,
 * arXiv:0909.4061): a random subspace a little larger than r is multiplied by W W^T again and again
 * and turns towards the largest singular vectors. Without a given number of iterations it goes on
 * until what the r values capture grows by less than {@value #CONVERGED} of itself, at most {@value
 * #MOST} times.
 */
public final class SvdFactors {
  private static final int SMALL = 192;
  private static final int OVERSAMPLING = 10;
  private static final int MOST = 30;
  private static final double CONVERGED = 1e-5;

  private final Products products;
  private final int outputs;
  private final int inputs;
  private final int rank;
  private float[] left = {}; // [O, r]
  private float[] right = {}; // [r, I]
  private double captured;

  private SvdFactors(Products products, Tensor w, int rank) {
    this.products = products;
    this.outputs = Math.toIntExact(w.rows());
    this.inputs = Math.toIntExact(w.cols());
    this.rank = rank;
  }

  /**
   * With W = U S V^T, sets {@code left} to U sqrt(S) and {@code right} to sqrt(S) V^T, of the r
   * largest values.
   *
   * @param left F32 [O, r]
   * @param right F32 [r, I]
   * @param w F32 [O, I] with r &lt;= min(O, I)
   * @param iterations of the subspace, for a matrix of any size; empty to decide by its size
   * @param seed of the random subspace
   * @return the sum of the squares of the r singular values
   */
  public static double of(
      Tensor left, Tensor right, Tensor w, OptionalInt iterations, long seed, Kernels kernels) {
    SvdFactors svd = new SvdFactors(new Products(w, kernels), w, Math.toIntExact(left.cols()));
    if (iterations.isEmpty() && Math.min(svd.outputs, svd.inputs) <= SMALL) {
      svd.full();
    } else {
      svd.iterate(iterations, seed);
    }
    TensorValues.put(kernels, left, svd.left);
    TensorValues.put(kernels, right, svd.right);
    return svd.captured;
  }

  private void full() {
    float[] w = products.all();
    DMatrixRMaj m = new DMatrixRMaj(outputs, inputs);
    for (int i = 0; i < w.length; i++) {
      m.data[i] = w[i];
    }
    Largest svd = Largest.of(m, rank);
    captured = svd.captured();
    left = svd.left();
    right = svd.right();
  }

  private void iterate(OptionalInt iterations, long seed) {
    int k = Math.min(rank + OVERSAMPLING, Math.min(outputs, inputs));
    SplittableRandom random = new SplittableRandom(seed);
    float[] start = new float[k * inputs];
    for (int i = 0; i < start.length; i++) {
      start[i] = (float) random.nextGaussian();
    }
    float[] q = Orthonormal.rows(products.timesTransposedW(start, k), k);
    int most = iterations.orElse(MOST);
    for (int i = 0; ; i++) {
      float[] projected = products.timesW(q, k); // Q^T W [k, I]
      double before = captured;
      project(projected, q, k);
      boolean settled = iterations.isEmpty() && captured - before <= CONVERGED * captured;
      if (i == most || settled) {
        return;
      }
      float[] turned = Orthonormal.rows(projected, k);
      q = Orthonormal.rows(products.timesTransposedW(turned, k), k);
    }
  }

  /** Decomposes Q^T W = (Q^T W P) P^T, of which the left factor is small. */
  private void project(float[] projected, float[] q, int k) {
    float[] p = Orthonormal.rows(projected, k); // P^T [k, I]
    DMatrixRMaj small = new DMatrixRMaj(k, k);
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        double sum = 0;
        for (int n = 0; n < inputs; n++) {
          sum += (double) projected[i * inputs + n] * p[j * inputs + n];
        }
        small.set(i, j, sum);
      }
    }
    Largest svd = Largest.of(small, rank);
    captured = svd.captured();
    left = new float[outputs * rank];
    right = new float[rank * inputs];
    for (int r = 0; r < rank; r++) {
      for (int i = 0; i < k; i++) {
        float u = svd.left()[i * rank + r];
        for (int o = 0; o < outputs; o++) {
          left[o * rank + r] += u * q[i * outputs + o];
        }
        float v = svd.right()[r * k + i];
        for (int n = 0; n < inputs; n++) {
          right[r * inputs + n] += v * p[i * inputs + n];
        }
      }
    }
  }
}
