package dev.nibble.trainer.plot;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Round numbers along an axis on which equal ratios have equal lengths.
 *
 * @param values ascending, two or more, the first at or below the least value and the last at or
 *     above the greatest
 */
public record LogTicks(List<Double> values) {
  /** Ratios that a linear axis shows as well. */
  private static final double NEAR = 2;

  /** Ratios up to which there are ticks between powers of ten. */
  private static final double FAR = 1000;

  private static final int COUNT = 6;

  /** Copies the list. */
  public LogTicks {
    values = List.copyOf(values);
  }

  /** Ticks around positive values. */
  public static LogTicks around(double low, double high) {
    if (!(low > 0) || !(high >= low) || Double.isInfinite(high)) {
      throw new IllegalArgumentException("a logarithmic axis from %s to %s".formatted(low, high));
    }
    if (high / low <= NEAR) {
      return new LogTicks(Ticks.around(low, high, COUNT, low * 1e-4).values());
    }
    List<Double> values = new ArrayList<>();
    double[] mantissas = high / low <= FAR ? new double[] {1, 2, 5} : new double[] {1};
    for (int power = (int) Math.floor(Math.log10(low)); !reaches(values, high); power++) {
      for (double m : mantissas) {
        double tick = m * Math.pow(10, power);
        if (tick <= low) {
          values.clear();
        }
        if (!reaches(values, high)) {
          values.add(tick);
        }
      }
    }
    return new LogTicks(values);
  }

  private static boolean reaches(List<Double> values, double high) {
    return !values.isEmpty() && values.getLast() >= high;
  }

  /** Where a value lies: 0 at the first tick, 1 at the last. */
  public double position(double value) {
    double from = Math.log(values.getFirst());
    return (Math.log(value) - from) / (Math.log(values.getLast()) - from);
  }

  /** A tick as text. */
  public String label(double value) {
    BigDecimal round = new BigDecimal(value, new MathContext(6)).stripTrailingZeros();
    return value >= 1e6
        ? String.format(Locale.ROOT, "%.0e", value)
        : String.format(Locale.ROOT, "%,." + Math.max(0, round.scale()) + "f", value);
  }
}
