package dev.nibble.errors;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RemedyTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a row is bad         | a row is bad. Mend it",
        "a row is bad.        | a row is bad. Mend it",
        "Did you mean 'x'?    | Did you mean 'x'? Mend it",
        "'bad:\n  row 1\n'    | 'bad:\n  row 1\nMend it'"
      })
  void followsTheProblem(String problem, String whole) {
    assertThat(Remedy.joined(problem, "Mend it")).isEqualTo(whole);
  }
}
