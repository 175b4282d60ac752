package dev.nibble.errors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearestNameTest {
  @Test
  void countsTypingErrors() {
    assertThat(NearestName.distance("lora_r", "lora_r")).isZero();
    assertThat(NearestName.distance("lora", "lroa")).isEqualTo(1);
    assertThat(NearestName.distance("", "abc")).isEqualTo(3);
    assertThat(NearestName.distance("kitten", "sitting")).isEqualTo(3);
  }

  @Test
  void givesUpWhenNothingIsNear() {
    List<String> names = List.of("seed", "lora_r", "lora_alpha");
    assertThat(NearestName.among(names, "lora_aplha")).contains("lora_alpha");
    assertThat(NearestName.among(names, "sede")).contains("seed");
    assertThat(NearestName.among(names, "optimizer")).isEmpty();
  }
}
