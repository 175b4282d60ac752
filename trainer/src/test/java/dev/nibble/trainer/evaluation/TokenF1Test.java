package dev.nibble.trainer.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TokenF1Test {

  /** Expected values are worked out by hand: twice the common words over the words of both. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "the Eiffel Tower | Eiffel tower!        | 1",
        "a large cat      | An animal: a cat     | 0.5",
        "one two three    | two                  | 0.5",
        "no no yes        | no no no             | 0.66666667",
        "well-known       | well known           | 0",
        "anthem           | them                 | 0",
        "GRÜSSE           | grüsse               | 1",
        "cat              | dog                  | 0",
        "the              | a                    | 1",
        "the              | cat                  | 0",
      })
  void countsCommonWords(String expected, String given, double f1) {
    assertThat(TokenF1.of(expected, given)).isCloseTo(f1, within(1e-8));
    assertThat(TokenF1.of(given, expected)).isCloseTo(f1, within(1e-8));
  }

  @Test
  void anyWhiteSpaceDividesWords() {
    assertThat(TokenF1.of("one two", "\u00A0one\u2003\n two ")).isEqualTo(1);
  }

  @Test
  void anEmptyAnswerHasNothingInCommon() {
    assertThat(TokenF1.of("cat", "")).isZero();
    assertThat(TokenF1.of("", "")).isEqualTo(1);
  }
}
