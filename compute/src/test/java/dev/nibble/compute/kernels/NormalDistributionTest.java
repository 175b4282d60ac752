package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NormalDistributionTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0.5",
    "1, 0.8413447460685429",
    "-1, 0.15865525393145707",
    "-2.999, 0.0013543365337271066",
    "-3, 0.0013498980316300957",
    "3, 0.9986501019683699",
    "-5, 2.866515718791933e-7",
    "-10, 7.619853024160527e-24",
    "-100, 0"
  })
  void cumulative(double x, double probability) {
    assertThat(NormalDistribution.cumulative(x))
        .isCloseTo(probability, within(1e-12 * probability));
  }
}
