package dev.nibble.trainer.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LogTicksTest {

  @ParameterizedTest
  @CsvSource({
    "3, 40, 2 5 10 20 50",
    "2, 5, 2 5",
    "1.5, 86301, 1 10 100 1;000 10;000 100;000",
    "7, 3e6, 1 10 100 1;000 10;000 100;000 1e+06 1e+07",
    "12.1, 12.6, 12.1 12.2 12.3 12.4 12.5 12.6",
    "8, 8, 8 8.001"
  })
  void areRoundAndAroundTheValues(double low, double high, String labels) {
    LogTicks ticks = LogTicks.around(low, high);
    assertThat(ticks.values().getFirst()).isLessThanOrEqualTo(low + 1e-9);
    assertThat(ticks.values().getLast()).isGreaterThanOrEqualTo(high - 1e-9);
    assertThat(ticks.values().stream().map(ticks::label).toList())
        .containsExactly(labels.replace(';', ',').split(" "));
  }

  @Test
  void equalRatiosHaveEqualLengths() {
    LogTicks ticks = LogTicks.around(1, 10_000);
    assertThat(ticks.position(1)).isZero();
    assertThat(ticks.position(100)).isCloseTo(0.5, within(1e-12));
    assertThat(ticks.position(10_000)).isEqualTo(1);
  }

  @Test
  void thereIsNoZero() {
    assertThatThrownBy(() -> LogTicks.around(0, 1)).isInstanceOf(IllegalArgumentException.class);
  }
}
