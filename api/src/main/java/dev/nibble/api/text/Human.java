package dev.nibble.api.text;

import java.util.Locale;

/** Formatting of quantities for people, the same in every locale. */
public final class Human {
  private Human() {}

  /** {@code 310 MiB}, {@code 4.20 GiB}. */
  public static String bytes(long bytes) {
    return bytes < 1L << 30
        ? String.format(Locale.ROOT, "%.0f MiB", bytes / 1048576.0)
        : String.format(Locale.ROOT, "%.2f GiB", bytes / 1073741824.0);
  }

  /** The same with three digits at least: {@code 3.21 MiB}, {@code 45.6 MiB}, {@code 310 MiB}. */
  public static String exactBytes(long bytes) {
    double mebibytes = bytes / 1048576.0;
    if (mebibytes >= 100) {
      return bytes(bytes);
    }
    return String.format(Locale.ROOT, mebibytes < 10 ? "%.2f MiB" : "%.1f MiB", mebibytes);
  }

  /** {@code 0:07}, {@code 12:30}, {@code 1:02:03}. */
  public static String duration(double seconds) {
    long s = Math.max(0, Math.round(seconds));
    return s < 3600
        ? String.format(Locale.ROOT, "%d:%02d", s / 60, s % 60)
        : String.format(Locale.ROOT, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
  }

  /** {@code 12,345}. */
  public static String count(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }

  /** {@code 1 row}, {@code 12,345 rows}: a regular noun with its number. */
  public static String counted(long count, String noun) {
    return count(count) + " " + noun + (count == 1 ? "" : "s");
  }

  /** {@code 56.3 %}. */
  public static String percent(double part) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * part);
  }

  /** A loss with four decimals. */
  public static String loss(double loss) {
    return String.format(Locale.ROOT, "%.4f", loss);
  }

  /** A learning rate with three digits: {@code 2.00e-04}. */
  public static String rate(double rate) {
    return String.format(Locale.ROOT, "%.2e", rate);
  }
}
