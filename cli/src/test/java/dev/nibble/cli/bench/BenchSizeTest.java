package dev.nibble.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchSizeTest {
  @Test
  void tokensAndSamples() {
    assertThat(BenchSize.parse("512")).contains(new BenchSize(512, 1));
    assertThat(BenchSize.parse("2048x4")).contains(new BenchSize(2048, 4));
    assertThat(new BenchSize(2048, 4).tokens()).isEqualTo(8192);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "x4", "512x", "512x0", "-1", "1.5", "512X4", "99999999"})
  void otherTexts(String text) {
    assertThat(BenchSize.parse(text)).isEmpty();
  }
}
