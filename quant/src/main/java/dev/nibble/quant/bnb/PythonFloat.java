package dev.nibble.quant.bnb;

import java.math.BigDecimal;

/** Numbers as Python's {@code repr} and {@code json.dumps} write them. */
final class PythonFloat {
  private PythonFloat() {}

  /**
   * The shortest decimal that reads back as {@code x}, which is finite and not subnormal: with an
   * exponent of at least two digits below 1e-4 and from 1e16 on, and with a fraction otherwise.
   */
  static String repr(double x) {
    if (x == 0) {
      return 1 / x > 0 ? "0.0" : "-0.0";
    }
    BigDecimal shortest = new BigDecimal(Double.toString(x)).stripTrailingZeros();
    int exponent = shortest.precision() - shortest.scale() - 1;
    if (-4 <= exponent && exponent < 16) {
      String plain = shortest.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String digits = shortest.unscaledValue().abs().toString();
    return "%s%c%s%se%c%02d"
        .formatted(
            x < 0 ? "-" : "",
            digits.charAt(0),
            digits.length() > 1 ? "." : "",
            digits.substring(1),
            exponent < 0 ? '-' : '+',
            Math.abs(exponent));
  }
}
