package dev.nibble.trainer.export;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A comparison that could not have found a difference is no agreement. */
final class LogitResolutionTest {

  private static LogitAgreement of(float[]... reference) {
    LogitAgreement.Sum sum = new LogitAgreement.Sum();
    for (float[] logits : reference) {
      sum.add(logits, logits);
    }
    return sum.result();
  }

  @Test
  void largeLogitsHideDifferences() {
    LogitAgreement usual = of(new float[] {-20, 3, 1}, new float[] {1, 2, 3});
    assertThat(usual.resolution()).isEqualTo(20 * 0x1p-24);
    assertThat(usual.isTelling()).isTrue();
    assertThat(of(new float[] {1e30f, 0}, new float[] {0, 1e30f}).resolution()).isGreaterThan(1e20);
    assertThat(of(new float[] {Float.NaN, 0}).resolution()).isNaN();
  }

  @Test
  void theSameLogitsEverywhereTellNothing() {
    assertThat(of(new float[] {0, 0}, new float[] {0, 0}).isTelling()).isFalse();
    assertThat(of(new float[] {1, 2}, new float[] {1, 2}).isTelling()).isFalse();
    assertThat(of(new float[] {1, 2}).isTelling()).isTrue();
  }
}
