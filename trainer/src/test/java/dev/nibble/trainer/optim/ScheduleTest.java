package dev.nibble.trainer.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Expected values are what transformers 5.18's schedulers of the same names give, for ten steps and
 * three of warm-up.
 */
final class ScheduleTest {

  @Test
  void constantWithWarmup() {
    check(new Schedule.Constant(0.3, 3), 0, 0.1, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3);
  }

  @Test
  void linearWithWarmup() {
    check(
        new Schedule.Linear(0.7, 3, 10), 0, 0.7 / 3, 1.4 / 3, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0);
  }

  @Test
  void cosineWithWarmup() {
    Schedule cosine = new Schedule.Cosine(1, 2, 10, 0);
    check(
        cosine,
        0,
        0.5,
        1,
        0.9619397662556434,
        0.8535533905932737,
        0.6913417161825449,
        0.5,
        0.3086582838174551,
        0.1464466094067262,
        0.03806023374435663,
        0);
  }

  @Test
  void cosineToAShareOfThePeak() {
    Schedule cosine = new Schedule.Cosine(2, 0, 8, 0.1);
    assertThat(cosine.at(0)).isEqualTo(2);
    assertThat(cosine.at(4)).isCloseTo(1.1, within(1e-12));
    assertThat(cosine.at(8)).isCloseTo(0.2, within(1e-12));
    assertThat(cosine.at(20)).isCloseTo(0.2, within(1e-12));
  }

  @Test
  void withoutWarmupTheFirstStepHasThePeak() {
    assertThat(new Schedule.Constant(0.1, 0).at(0)).isEqualTo(0.1);
    assertThat(new Schedule.Linear(0.1, 0, 1).at(0)).isEqualTo(0.1);
    assertThat(new Schedule.Cosine(0.1, 0, 1, 0).at(0)).isEqualTo(0.1);
  }

  @Test
  void warmupRatioIsRoundedUp() {
    assertThat(Schedule.warmupSteps(0.03, 100)).isEqualTo(3);
    assertThat(Schedule.warmupSteps(0.03, 101)).isEqualTo(4);
    assertThat(Schedule.warmupSteps(0, 100)).isZero();
    assertThat(Schedule.warmupSteps(0.03, 1)).as("the only step trains").isZero();
    assertThat(Schedule.warmupSteps(1, 100)).isEqualTo(99);
    assertThatThrownBy(() -> Schedule.warmupSteps(1.5, 100)).hasMessageContaining("1.5");
  }

  @Test
  void refusesRatesThatAreNone() {
    assertThatThrownBy(() -> new Schedule.Constant(0, 0)).hasMessageContaining("learning rate 0");
    assertThatThrownBy(() -> new Schedule.Linear(Double.NaN, 0, 1)).hasMessageContaining("NaN");
    assertThatThrownBy(() -> new Schedule.Cosine(1, -1, 1, 0)).hasMessageContaining("-1 steps");
    assertThatThrownBy(() -> new Schedule.Cosine(1, 0, 1, 2)).hasMessageContaining("2.0");
  }

  private static void check(Schedule schedule, double... expected) {
    double[] rates = LongStream.range(0, expected.length).mapToDouble(schedule::at).toArray();
    assertThat(rates).containsExactly(expected, within(1e-12));
  }
}
