package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class DropoutTest {
  private static final int N = 200_000;

  private static double dropped(long seed, long from, double rate) {
    int count = 0;
    for (int i = 0; i < N; i++) {
      count += Dropout.isDropped(seed, from + i, rate) ? 1 : 0;
    }
    return count / (double) N;
  }

  /** Within five standard deviations of the binomial distribution, also past 2^32 elements. */
  @Test
  void dropsAtItsRate() {
    for (double rate : new double[] {0.05, 0.1, 0.5, 0.9}) {
      double deviation = Math.sqrt(rate * (1 - rate) / N);
      for (long from : new long[] {0, 1L << 32}) {
        assertThat(dropped(42, from, rate)).isCloseTo(rate, within(5 * deviation));
      }
    }
    assertThat(dropped(42, 0, 0)).isZero();
  }

  /**
   * Masks of neighbouring seeds, and neighbours in one mask, agree as often as independent coins.
   */
  @Test
  void seedsAndNeighboursAreIndependent() {
    int seeds = 0;
    int neighbours = 0;
    for (int i = 0; i < N; i++) {
      boolean d = Dropout.isDropped(1, i, 0.5);
      seeds += d == Dropout.isDropped(2, i, 0.5) ? 1 : 0;
      neighbours += d == Dropout.isDropped(1, i + 1L, 0.5) ? 1 : 0;
    }
    double deviation = 0.5 / Math.sqrt(N);
    assertThat(seeds / (double) N).isCloseTo(0.5, within(5 * deviation));
    assertThat(neighbours / (double) N).isCloseTo(0.5, within(5 * deviation));
  }

  @Test
  void noiseIsUniform() {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < N; i++) {
      double u = Dropout.uniform(3, i);
      assertThat(u).isGreaterThanOrEqualTo(-1).isLessThan(1);
      sum += u;
      squares += u * u;
    }
    assertThat(sum / N).isCloseTo(0, within(5 / Math.sqrt(3.0 * N)));
    assertThat(squares / N).isCloseTo(1 / 3.0, within(5 * Math.sqrt(4 / 45.0 / N)));
  }
}
