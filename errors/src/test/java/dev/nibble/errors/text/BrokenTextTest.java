package dev.nibble.errors.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BrokenTextTest {
  private static final String TEXT = "{\n  \"ö\": tru\u0001,\n}\n";

  @Test
  void saysWhereAndBeforeWhat() {
    assertThat(BrokenText.at(TEXT, 0))
        .isEqualTo("at line 1, column 1 came {, which cannot stand there");
    assertThat(BrokenText.at(TEXT, 1))
        .isEqualTo("at line 1, column 2 came the end of the line, which cannot stand there");
    assertThat(BrokenText.at(TEXT, 9))
        .isEqualTo("at line 2, column 8 came tru, which cannot stand there");
    assertThat(BrokenText.at(TEXT, 12))
        .isEqualTo(
            "at line 2, column 11 came the control character U+0001, which cannot stand there");
    assertThat(BrokenText.at("\"" + "a".repeat(50), 0))
        .isEqualTo("at line 1, column 1 came \"" + "a".repeat(23) + ", which cannot stand there");
  }

  @Test
  void saysWhereATextEnds() {
    assertThat(BrokenText.at("{\"a\": 1", 7)).isEqualTo("it ends too early, at line 1, column 8");
    assertThat(BrokenText.at("{\"a\": 1\n", 90))
        .isEqualTo("it ends too early, at line 2, column 1");
    assertThat(BrokenText.at("{", -1)).isEqualTo("a value in it cannot be understood");
  }
}
