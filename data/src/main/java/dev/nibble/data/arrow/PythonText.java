package dev.nibble.data.arrow;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** Dates, times and the like as Python's {@code str} writes them. */
final class PythonText {
  private static final long DAY = TimeUnit.DAYS.toNanos(1);
  private static final long HOUR = TimeUnit.HOURS.toNanos(1);

  private PythonText() {}

  /** {@code 2024-01-02}. */
  static String date(long days) {
    return LocalDate.ofEpochDay(days).toString();
  }

  /** {@code 03:04:05}, with a fraction where there is one. */
  static String time(long nanos) {
    LocalTime t = LocalTime.ofNanoOfDay(nanos);
    return String.format(
        Locale.ROOT,
        "%02d:%02d:%02d%s",
        t.getHour(),
        t.getMinute(),
        t.getSecond(),
        fraction(t.getNano()));
  }

  /** {@code 2024-01-02 03:04:05}, with a fraction where there is one. */
  static String timestamp(long count, TimeUnit unit) {
    LocalDateTime t = LocalDateTime.ofInstant(instant(count, unit), ZoneOffset.UTC);
    return date(t.toLocalDate().toEpochDay()) + " " + time(t.toLocalTime().toNanoOfDay());
  }

  /** {@code 2024-01-02 03:04:05+01:00}: the time in its zone, and how far that is from UTC. */
  static String timestamp(long count, TimeUnit unit, String zone) {
    ZonedDateTime t = instant(count, unit).atZone(ZoneId.of(zone));
    String offset = t.getOffset().getTotalSeconds() == 0 ? "+00:00" : t.getOffset().getId();
    return date(t.toLocalDate().toEpochDay()) + " " + time(t.toLocalTime().toNanoOfDay()) + offset;
  }

  private static Instant instant(long count, TimeUnit unit) {
    long perSecond = unit.convert(1, TimeUnit.SECONDS);
    return Instant.ofEpochSecond(
        Math.floorDiv(count, perSecond), unit.toNanos(Math.floorMod(count, perSecond)));
  }

  /** {@code 1 day, 0:00:01}; below zero the days are, and the rest counts forwards. */
  static String duration(Duration duration) {
    BigInteger nanos =
        BigInteger.valueOf(duration.getSeconds())
            .multiply(BigInteger.valueOf(TimeUnit.SECONDS.toNanos(1)))
            .add(BigInteger.valueOf(duration.getNano()));
    BigInteger day = BigInteger.valueOf(DAY);
    long rest = nanos.mod(day).longValue();
    long days = nanos.subtract(BigInteger.valueOf(rest)).divide(day).longValue();
    LocalTime t = LocalTime.ofNanoOfDay(rest);
    String clock =
        String.format(
            Locale.ROOT,
            "%d:%02d:%02d%s",
            rest / HOUR,
            t.getMinute(),
            t.getSecond(),
            fraction(t.getNano()));
    return days == 0 ? clock : days + (Math.abs(days) == 1 ? " day, " : " days, ") + clock;
  }

  /** Microseconds, as Python counts, and nanoseconds where it could not. */
  private static String fraction(int nanos) {
    if (nanos == 0) {
      return "";
    }
    return nanos % 1000 == 0
        ? String.format(Locale.ROOT, ".%06d", nanos / 1000)
        : String.format(Locale.ROOT, ".%09d", nanos);
  }

  /** {@code 30313233-3435-3637-3839-616263646566}. */
  static String uuid(byte[] bytes) {
    ByteBuffer b = ByteBuffer.wrap(bytes);
    return new UUID(b.getLong(), b.getLong()).toString();
  }
}
