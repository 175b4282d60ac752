package dev.nibble.trainer.model.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

final class RopeScalingTest {
  private static final int D = 32;
  private static final float[] PLAIN = new RopeScaling.None().frequencies(10_000, D, 0);

  private static double plain(int i) {
    return Math.pow(10_000, -2.0 * i / D);
  }

  private static void assertFrequency(float actual, double expected) {
    assertThat((double) actual).isCloseTo(expected, within(1e-6 * expected));
  }

  @Test
  void withoutScalingFrequenciesArePowersOfTheta() {
    for (int i = 0; i < D / 2; i++) {
      assertFrequency(PLAIN[i], plain(i));
    }
  }

  @Test
  void linearDividesAll() {
    float[] f = new RopeScaling.Linear(3).frequencies(10_000, D, 0);
    for (int i = 0; i < D / 2; i++) {
      assertFrequency(f[i], plain(i) / 3);
    }
  }

  @Test
  void dynamicStretchesSamplesThatAreLongerThanTrained() {
    RopeScaling scaling = new RopeScaling.Dynamic(2, 100);
    assertThat(scaling.frequencies(10_000, D, 100)).isEqualTo(PLAIN);
    assertThat(scaling.representative(7)).isEqualTo(scaling.representative(100));
    assertThat(scaling.representative(101)).isNotEqualTo(scaling.representative(102));
    float[] f = scaling.frequencies(10_000, D, 300);
    // base' = base (2 * 3 - 1)^(32/30), so that the last pair slows down 5-fold
    assertFrequency(f[0], 1);
    assertFrequency(f[D / 2 - 1], plain(D / 2 - 1) / 5);
  }

  @Test
  void llama3LeavesShortWavelengthsAndDividesLongOnes() {
    // pair 0 has wavelength 2 pi, pair 15 one of 35333
    RopeScaling scaling = new RopeScaling.Llama3(8, 1, 4, 1000);
    float[] f = scaling.frequencies(10_000, D, 0);
    assertThat(f[0]).isEqualTo(PLAIN[0]);
    assertThat(f[D / 2 - 1]).isEqualTo(PLAIN[D / 2 - 1] / 8);
    int between = 8; // wavelength 628
    double smooth = (1000 / (2 * Math.PI / plain(between)) - 1) / (4 - 1);
    assertFrequency(f[between], plain(between) * ((1 - smooth) / 8 + smooth));
  }

  @Test
  void yarnLeavesFastPairsAndDividesSlowOnes() {
    RopeScaling.Yarn scaling = new RopeScaling.Yarn(4, 1, 32, 1, 1000, true);
    float[] f = scaling.frequencies(10_000, D, 0);
    // 32 turns in 1000 positions: pair 2.8, cut to 2; one turn: pair 8.8, raised to 9
    for (int i = 0; i < D / 2; i++) {
      double ramp = Math.clamp((i - 2) / 7.0, 0, 1);
      assertFrequency(f[i], plain(i) * (ramp / 4 + 1 - ramp));
    }
    assertThat(RopeScaling.Yarn.defaultAttentionFactor(4, 1)).isEqualTo(0.1 * Math.log(4) + 1);
    assertThat(RopeScaling.Yarn.defaultAttentionFactor(1, 1)).isEqualTo(1);
  }

  @Test
  void longropeSwitchesItsFactorsBehindTheOriginalLength() {
    RopeScaling scaling = new RopeScaling.LongRope(List.of(1.0, 2.0), List.of(3.0, 5.0), 1.2, 16);
    assertFrequency(scaling.frequencies(100, 4, 16)[1], 0.1 / 2);
    assertFrequency(scaling.frequencies(100, 4, 17)[1], 0.1 / 5);
    assertThat(scaling.representative(3)).isEqualTo(scaling.representative(16));
    assertThat(scaling.representative(17)).isEqualTo(scaling.representative(1000));
    assertThat(scaling.forgetsCache(16, 17)).isTrue();
    assertThat(scaling.forgetsCache(17, 18)).isFalse();
    assertThat(scaling.attentionFactor()).isEqualTo(1.2);
  }
}
