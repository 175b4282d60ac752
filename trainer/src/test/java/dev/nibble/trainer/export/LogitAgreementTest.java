package dev.nibble.trainer.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

final class LogitAgreementTest {

  @Test
  void twoPositionsByHand() {
    LogitAgreement.Sum sum = new LogitAgreement.Sum();
    float third = (float) Math.log(3);
    sum.add(new float[] {0, 0}, new float[] {0, third}); // p = 1/2, 1/2; q = 1/4, 3/4
    sum.add(new float[] {1000, 999}, new float[] {1000, 999});
    LogitAgreement a = sum.result();
    double kl = .5 * Math.log(.5 / .25) + .5 * Math.log(.5 / .75);
    assertThat(a.positions()).isEqualTo(2);
    assertThat(a.divergence()).isCloseTo(kl / 2, within(1e-7));
    assertThat(a.largest()).isCloseTo(Math.log(3), within(1e-6));
    assertThat(a.mean()).isCloseTo(Math.log(3) / 4, within(1e-6));
    assertThat(a.sameTop()).isEqualTo(.5);
  }

  @Test
  void nanIsNotAgreement() {
    LogitAgreement.Sum sum = new LogitAgreement.Sum();
    sum.add(new float[] {1, 2}, new float[] {Float.NaN, 2});
    assertThat(sum.result().largest()).isNaN();
    assertThat(sum.result().divergence()).isNaN();
  }

  @Test
  void refusesWhatCannotBeCompared() {
    LogitAgreement.Sum sum = new LogitAgreement.Sum();
    assertThatThrownBy(() -> sum.add(new float[2], new float[3]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(sum::result).isInstanceOf(IllegalStateException.class);
  }
}
