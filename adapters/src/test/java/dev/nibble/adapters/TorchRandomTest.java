package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class TorchRandomTest {

  /** What torch 2.13 gives for torch.empty(700).uniform_(-2, 2, generator=...manual_seed(7)). */
  @Test
  void drawsWhatTorchDraws() {
    float[] drawn = new TorchRandom(7).uniform(700, 2);
    assertThat(new float[] {drawn[0], drawn[1], drawn[2], drawn[623], drawn[624], drawn[699]})
        .containsExactly(
            0.13969016f, -1.2047873f, 0.6368468f, -1.6830544f, -0.08420777f, 0.8073504f);
  }

  @Test
  void theLowerHalfOfTheSeedCounts() {
    assertThat(new TorchRandom(7 + (5L << 32)).uniform(9, 1))
        .isEqualTo(new TorchRandom(7).uniform(9, 1));
  }
}
