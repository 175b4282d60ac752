package dev.nibble.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import org.junit.jupiter.api.Test;

final class RopeScalingTest {

  @Test
  void llama3LeavesShortWavelengthsAndDividesLongOnes() {
    RopeScaling scaling = new RopeScaling.Llama3(8, 1, 4, 8192);
    float fast = (float) (2 * Math.PI / 2000); // below 8192 / 4
    float slow = (float) (2 * Math.PI / 9000); // above 8192 / 1
    float between = (float) (2 * Math.PI / 4096); // half way: smooth = (2 - 1) / (4 - 1)
    assertThat(scaling.apply(fast)).isEqualTo(fast);
    assertThat(scaling.apply(slow)).isEqualTo(slow / 8);
    assertThat((double) scaling.apply(between))
        .isCloseTo(between * (2.0 / 3 / 8 + 1.0 / 3), withinPercentage(1e-4));
  }
}
