package dev.nibble.jinja;

import java.time.LocalDateTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.util.Locale;

/** Dates as Python's {@code strftime} writes them, with English names. */
final class Strftime {
  private static final String KNOWN = "%a %A %b %B %d %D %e %F %H %I %j %m %M %p %S %T %y %Y %%";

  private Strftime() {}

  static String format(LocalDateTime time, String format) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      char directive = format.charAt(++i);
      if (directive == '-' && i + 1 < format.length()) {
        out.append(field(time, format.charAt(++i)).replaceFirst("^[0 ]+(?=.)", ""));
      } else {
        out.append(field(time, directive));
      }
    }
    return out.toString();
  }

  private static String field(LocalDateTime t, char directive) {
    return switch (directive) {
      case 'a' -> t.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.US);
      case 'A' -> t.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.US);
      case 'b', 'h' -> t.getMonth().getDisplayName(TextStyle.SHORT, Locale.US);
      case 'B' -> t.getMonth().getDisplayName(TextStyle.FULL, Locale.US);
      case 'd' -> "%02d".formatted(t.getDayOfMonth());
      case 'D' -> format(t, "%m/%d/%y");
      case 'e' -> "%2d".formatted(t.getDayOfMonth());
      case 'F' -> format(t, "%Y-%m-%d");
      case 'H' -> "%02d".formatted(t.getHour());
      case 'I' -> "%02d".formatted(t.get(ChronoField.CLOCK_HOUR_OF_AMPM));
      case 'j' -> "%03d".formatted(t.getDayOfYear());
      case 'm' -> "%02d".formatted(t.getMonthValue());
      case 'M' -> "%02d".formatted(t.getMinute());
      case 'p' -> t.getHour() < 12 ? "AM" : "PM";
      case 'S' -> "%02d".formatted(t.getSecond());
      case 'T' -> format(t, "%H:%M:%S");
      case 'y' -> "%02d".formatted(t.getYear() % 100);
      case 'Y' -> Integer.toString(t.getYear());
      case '%' -> "%";
      default ->
          throw Failure.unsupported(
              "strftime_now does not know %" + directive + "; known are " + KNOWN);
    };
  }
}
