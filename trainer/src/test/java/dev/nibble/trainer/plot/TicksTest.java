package dev.nibble.trainer.plot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class TicksTest {
  @Test
  void ticksAreRound() {
    assertThat(Ticks.around(0, 237, 8, 1).values())
        .containsExactly(0.0, 50.0, 100.0, 150.0, 200.0, 250.0);
    Ticks loss = Ticks.around(0.93, 3.81, 6, 1e-6);
    assertThat(loss.values().stream().map(loss::label))
        .containsExactly("0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0");
    Ticks steps = Ticks.around(0, 3, 8, 1);
    assertThat(steps.values().stream().map(steps::label)).containsExactly("0", "1", "2", "3");
    Ticks many = Ticks.around(0, 12000, 8, 1);
    assertThat(many.label(many.to())).isEqualTo("12,000");
  }
}
