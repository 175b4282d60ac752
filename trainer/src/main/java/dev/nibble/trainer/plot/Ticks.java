package dev.nibble.trainer.plot;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Round numbers along an axis: 1, 2 or 5 times a power of ten apart.
 *
 * @param from the first, at or below the least value
 * @param to the last, at or above the greatest value
 * @param step between neighbours
 */
public record Ticks(double from, double to, double step) {

  /**
   * About {@code count} ticks around the values; {@code least} is the smallest distance between
   * two.
   */
  public static Ticks around(double low, double high, int count, double least) {
    double raw = Math.max((high - low) / count, least);
    double power = Math.pow(10, Math.floor(Math.log10(raw)));
    double step = power;
    for (double m : new double[] {2, 5, 10}) {
      step = raw > step * (1 + 1e-9) ? m * power : step;
    }
    double from = Math.floor(low / step + 1e-9) * step;
    double to = Math.ceil(high / step - 1e-9) * step;
    return new Ticks(from, to > from ? to : from + step, step);
  }

  /** All of them. */
  public List<Double> values() {
    List<Double> values = new ArrayList<>();
    for (int i = 0; i <= Math.round((to - from) / step); i++) {
      values.add(from + i * step);
    }
    return values;
  }

  /** A tick as text, with as many decimals as the step has. */
  public String label(double value) {
    int decimals =
        Math.max(0, new BigDecimal(step, new MathContext(3)).stripTrailingZeros().scale());
    return String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }
}
