package dev.nibble.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.HessianFactor.Dead;
import dev.nibble.quant.HessianFactor.Order;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HessianFactorTest {

  private static SecondMoments moments(int n, int tokens, long seed) {
    Random random = new Random(seed);
    float[][] x = new float[tokens][n];
    for (float[] row : x) {
      double common = random.nextGaussian();
      for (int i = 0; i < n; i++) {
        row[i] = (float) ((random.nextGaussian() + common) * (1 + i % 5));
      }
    }
    float[] sum = new float[n * n];
    for (float[] row : x) {
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          sum[i * n + j] += row[i] * row[j];
        }
      }
    }
    return of(n, tokens, sum);
  }

  private static SecondMoments of(int n, long tokens, float... sum) {
    Tensor t =
        Tensor.onHost("H", DType.F32, Shape.of(n, n), MemorySegment.ofArray(new byte[4 * n * n]));
    return new SecondMoments(t.put(sum), tokens);
  }

  /**
   * Blocks, tiles and chunks that are whole, broken and alone. R is what R R^T = H leaves, by one
   * row after another.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 31, 32, 33, 127, 128, 129, 161, 255, 256, 300, 517})
  void isThePlainFactor(int n) {
    SecondMoments moments = moments(n, n + 3, n);
    HessianFactor factor = HessianFactor.of("w", moments, 0.01, Dead.IN_THE_MEAN, Order.DESCENDING);
    double mean = 0;
    for (int i = 0; i < n; i++) {
      mean += moments.sum().getDouble((long) i * n + i) / n;
    }
    double[][] r = new double[n][n];
    for (int j = n - 1; j >= 0; j--) {
      for (int i = j; i >= 0; i--) {
        double h =
            moments.sum().getDouble((long) factor.input(i) * n + factor.input(j))
                + (i == j ? 0.01 * mean : 0);
        for (int k = j + 1; k < n; k++) {
          h -= r[i][k] * r[j][k];
        }
        r[i][j] = i == j ? Math.sqrt(h) : h / r[j][j];
      }
    }
    for (int j = 0; j < n; j++) {
      assertThat(factor.inverseDiagonal(j)).isCloseTo(1 / r[j][j], offset(1e-9 / r[j][j]));
      assertThat(j == 0 || diagonal(moments, factor, j - 1) >= diagonal(moments, factor, j))
          .isTrue();
    }
    int from = n / 3;
    int to = Math.min(n, from + 50);
    double[][] u = factor.inverse(from, to);
    Feedback feedback = factor.feedback(from, to);
    for (int j = 0; j < to - from; j++) {
      for (int i = 0; i < to; i++) {
        double product = 0; // (rows of R) R_BB^-1: the identity in the block
        for (int k = 0; k <= j; k++) {
          product += r[i][from + k] * u[k][j];
        }
        double expected = i < from ? feedback.factor(j, i) : i == from + j ? 1 : 0;
        assertThat(product).isCloseTo(expected, offset(1e-5 * Math.max(1, Math.abs(product))));
      }
    }
  }

  private static double diagonal(SecondMoments moments, HessianFactor factor, int position) {
    long input = factor.input(position);
    return moments.sum().getDouble(input * factor.inputs() + input);
  }

  /** A sum over columns in any number. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 4, 31, 32, 35, 70})
  void feedbackIsThePlainSum(int before) {
    Random random = new Random(before);
    float[][] errors = random(random, before, 9);
    float[][] factors = random(random, 5, before);
    float[][] block = random(random, 5, 9);
    double[][] expected = new double[5][9];
    for (int j = 0; j < 5; j++) {
      for (int r = 0; r < 9; r++) {
        expected[j][r] = block[j][r];
        for (int k = 0; k < before; k++) {
          expected[j][r] += (double) errors[k][r] * factors[j][k];
        }
      }
    }
    new Feedback(factors).add(errors, block);
    for (int j = 0; j < 5; j++) {
      for (int r = 0; r < 9; r++) {
        assertThat((double) block[j][r]).isCloseTo(expected[j][r], offset(1e-4));
      }
    }
  }

  private static float[][] random(Random random, int rows, int cols) {
    float[][] all = new float[rows][cols];
    for (float[] row : all) {
      for (int i = 0; i < cols; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    return all;
  }

  @Test
  void deadInputsStandAlone() {
    HessianFactor factor =
        HessianFactor.of(
            "w", of(3, 9, 4, 0, 1, 0, 0, 0, 1, 0, 9), 0.1, Dead.IN_THE_MEAN, Order.DESCENDING);
    assertThat(factor.input(0)).isEqualTo(2);
    assertThat(factor.input(1)).isEqualTo(0);
    assertThat(factor.input(2)).isEqualTo(1);
    assertThat(factor.isDead(1)).isTrue();
    assertThat(factor.isDead(0)).isFalse();
    assertThat(factor.inverseDiagonal(2)).isCloseTo(1 / Math.sqrt(1 + 0.1 * 14 / 3), offset(1e-12));
  }

  @Test
  void saysWhatIsWrongWithMoments() {
    assertRefused(of(2, 9, 1, 0, 0, Float.NaN), "have NaN at [1, 1], expected finite numbers");
    assertRefused(
        of(2, 9, 1, Float.POSITIVE_INFINITY, 0, 1), "have Infinity at [0, 1], expected finite");
    assertRefused(of(2, 9, 0, 0, 0, 0), "all its inputs were 0 on the calibration data");
    assertRefused(
        of(2, 9, 1, 3, 3, 1),
        "not positive definite with a damping of 0.01 (at input 0); raise the damping, or give more calibration data");
    assertRefused(
        moments(32, 3, 1),
        "its calibration data are 3 tokens, expected at least 4 for 32 inputs; give more");
  }

  private static void assertRefused(SecondMoments moments, String message) {
    assertThatThrownBy(
            () -> HessianFactor.of("q_proj.weight", moments, 0.01, Dead.IN_THE_MEAN, Order.NATURAL))
        .isInstanceOf(UnusableWeight.class)
        .hasMessageContaining("tensor 'q_proj.weight': ")
        .hasMessageContaining(message);
  }
}
