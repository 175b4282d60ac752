package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;

/** Comparison of float arrays against the largest expected magnitude. */
final class Close {
  private Close() {}

  /**
   * Fails when an element is off by more than {@code tolerance} times the largest expected one;
   * gives the largest deviation in units of that one.
   */
  static double assertClose(String what, float[] actual, float[] expected, double tolerance) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    double largest = 0;
    for (float e : expected) {
      largest = Math.max(largest, Math.abs(e));
    }
    double worst = -1;
    int at = 0;
    for (int i = 0; i < expected.length; i++) {
      double off = Math.abs((double) actual[i] - expected[i]);
      if (!(off <= worst)) { // a NaN is worst
        worst = off;
        at = i;
        if (Double.isNaN(off)) {
          break;
        }
      }
    }
    assertThat(worst)
        .as("%s[%d] is %s, expected %s", what, at, actual[at], expected[at])
        .isLessThanOrEqualTo(tolerance * largest);
    return largest == 0 ? 0 : worst / largest;
  }

  /** One array after the other. */
  static float[] flatten(float[][] rows) {
    int columns = rows[0].length;
    float[] flat = new float[rows.length * columns];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, flat, i * columns, columns);
    }
    return flat;
  }
}
