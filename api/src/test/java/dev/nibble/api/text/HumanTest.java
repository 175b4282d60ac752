package dev.nibble.api.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HumanTest {
  @Test
  void quantities() {
    assertThat(Human.bytes(325_058_560)).isEqualTo("310 MiB");
    assertThat(Human.bytes(4_509_715_660L)).isEqualTo("4.20 GiB");
    assertThat(Human.duration(7)).isEqualTo("0:07");
    assertThat(Human.duration(3723)).isEqualTo("1:02:03");
    assertThat(Human.count(12_345)).isEqualTo("12,345");
    assertThat(Human.percent(0.5634)).isEqualTo("56.3 %");
  }
}
