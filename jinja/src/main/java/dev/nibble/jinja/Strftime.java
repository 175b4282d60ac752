package dev.nibble.jinja;

import java.time.LocalDateTime;
import java.util.List;

/** Dates as Python's {@code strftime} writes them, with English names. */
final class Strftime {
  private static final String KNOWN = "%a %A %b %B %d %D %e %F %H %I %j %m %M %p %S %T %y %Y %%";
  private static final List<String> DAYS =
      List.of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday");
  private static final List<String> MONTHS =
      List.of(
          "January",
          "February",
          "March",
          "April",
          "May",
          "June",
          "July",
          "August",
          "September",
          "October",
          "November",
          "December");

  private Strftime() {}

  static String format(Meter meter, LocalDateTime time, String format) {
    StringBuilder out = new StringBuilder();
    write(meter, time, format, out);
    return out.toString();
  }

  private static void write(Meter meter, LocalDateTime time, String format, StringBuilder out) {
    meter.each(format.length());
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      int start = out.length();
      meter.grow(start, DAYS.get(2).length());
      meter.step();
      char directive = format.charAt(++i);
      if (directive == '-' && i + 1 < format.length()) {
        field(meter, time, format.charAt(++i), out);
        int padding = start;
        while (padding + 1 < out.length() && "0 ".indexOf(out.charAt(padding)) >= 0) {
          padding++;
        }
        out.delete(start, padding);
      } else {
        field(meter, time, directive, out);
      }
    }
  }

  private static void field(Meter meter, LocalDateTime t, char directive, StringBuilder out) {
    switch (directive) {
      case 'a' -> out.append(DAYS.get(t.getDayOfWeek().getValue() - 1), 0, 3);
      case 'A' -> out.append(DAYS.get(t.getDayOfWeek().getValue() - 1));
      case 'b', 'h' -> out.append(MONTHS.get(t.getMonthValue() - 1), 0, 3);
      case 'B' -> out.append(MONTHS.get(t.getMonthValue() - 1));
      case 'd' -> padded(t.getDayOfMonth(), 2, '0', out);
      case 'D' -> write(meter, t, "%m/%d/%y", out);
      case 'e' -> padded(t.getDayOfMonth(), 2, ' ', out);
      case 'F' -> write(meter, t, "%Y-%m-%d", out);
      case 'H' -> padded(t.getHour(), 2, '0', out);
      case 'I' -> padded((t.getHour() + 11) % 12 + 1, 2, '0', out);
      case 'j' -> padded(t.getDayOfYear(), 3, '0', out);
      case 'm' -> padded(t.getMonthValue(), 2, '0', out);
      case 'M' -> padded(t.getMinute(), 2, '0', out);
      case 'p' -> out.append(t.getHour() < 12 ? "AM" : "PM");
      case 'S' -> padded(t.getSecond(), 2, '0', out);
      case 'T' -> write(meter, t, "%H:%M:%S", out);
      case 'y' -> padded(t.getYear() % 100, 2, '0', out);
      case 'Y' -> out.append(t.getYear());
      case '%' -> out.append('%');
      default ->
          throw Failure.unsupported(
              "strftime_now does not know %" + directive + "; known are " + KNOWN);
    }
  }

  private static void padded(int number, int width, char fill, StringBuilder out) {
    String digits = Integer.toString(number);
    out.repeat(fill, Math.max(0, width - digits.length())).append(digits);
  }
}
