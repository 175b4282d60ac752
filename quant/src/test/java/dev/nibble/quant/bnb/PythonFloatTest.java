package dev.nibble.quant.bnb;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PythonFloatTest {
  /** What {@code repr} of Python 3 printed. */
  @ParameterizedTest
  @CsvSource({
    "0.051409635692834854, 0.051409635692834854",
    "0.00001, 1e-05",
    "1.5e-7, 1.5e-07",
    "0.0001, 0.0001",
    "123456, 123456.0",
    "1e15, 1000000000000000.0",
    "1e16, 1e+16",
    "12345678901234567, 1.2345678901234568e+16",
    "9999999999999998, 9999999999999998.0",
    "3, 3.0",
    "0.0010000000474974513, 0.0010000000474974513",
    "1.1699999996735163e-38, 1.1699999996735163e-38",
    "1e22, 1e+22",
    "1e-300, 1e-300",
    "-0.0, -0.0",
    "0, 0.0",
    "-2.5e-10, -2.5e-10",
    "-0.25, -0.25"
  })
  void printsAsPythonDoes(double x, String python) {
    assertThat(PythonFloat.repr(x)).isEqualTo(python);
  }
}
