package dev.nibble.jinja;

import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Real;
import dev.nibble.jinja.Value.Text;
import dev.nibble.jinja.Value.Undefined;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code '%s is %d' % (a, b)}. */
final class Printf {
  private static final Pattern FIELD =
      Pattern.compile(
          "%(?:\\((?<key>[^)]*)\\))?(?<flags>[-+ 0#]*)(?<width>\\d+)?(?:\\.(?<precision>\\d+))?(?<type>.)?",
          Pattern.DOTALL);

  /** What it costs to find and read a field, in steps. */
  private static final int FIELD_COST = 8;

  private final Meter meter;
  private final List<Value> values;
  private final Value mapping;
  private int next;

  private Printf(Meter meter, Value argument) {
    this.meter = meter;
    this.mapping = argument;
    this.values =
        argument instanceof Items t && t.type() == Items.Type.TUPLE
            ? t.values()
            : List.of(argument);
  }

  static Value format(Meter meter, Text format, Value argument) {
    if (format.html()) {
      throw Failure.unsupported("% is not supported on text marked with safe or escape");
    }
    return new Text(meter.text(new Printf(meter, argument).format(format.text())));
  }

  private String format(String format) {
    StringBuilder out = new StringBuilder();
    Matcher m = FIELD.matcher(format);
    int from = 0;
    while (m.find(from)) {
      out.append(format, from, m.start());
      meter.steps(FIELD_COST);
      String field = field(m);
      meter.grow(out.length(), field.length());
      out.append(field);
      from = m.end();
    }
    boolean used =
        next == values.size()
            || mapping instanceof Dict
            || (next == 0 && mapping instanceof Items i && i.type() == Items.Type.LIST);
    if (!used) {
      throw Failure.type("not all arguments converted during string formatting");
    }
    return out.append(format, from, format.length()).toString();
  }

  private String field(Matcher m) {
    String type = m.group("type");
    if (type == null) {
      throw Failure.value("incomplete format");
    }
    if (type.equals("%")) {
      return "%";
    }
    Value value = value(m.group("key"));
    String flags = m.group("flags");
    String text =
        switch (type) {
          case "s" -> cut(Repr.text(meter, value), m.group("precision"));
          case "r" -> cut(Repr.of(meter, value), m.group("precision"));
          case "d", "i", "u" -> signed(Repr.decimal(meter, Numbers.whole(value)), flags);
          case "x" -> {
            meter.steps(Arithmetic.writing(integer(value)));
            yield signed(integer(value).toString(16), flags);
          }
          case "f", "F" ->
              signed(
                  Numbers.fixed(meter, Numbers.real(value), number(m.group("precision"), 6)),
                  flags);
          default ->
              throw Failure.unsupported(
                  "the format %" + type + " is not supported; known are %s %r %d %i %u %x %f %%");
        };
    return pad(text, flags, number(m.group("width"), 0), !type.equals("s") && !type.equals("r"));
  }

  private static BigInteger integer(Value value) {
    return Arithmetic.integer(value)
        .orElseThrow(
            () -> Failure.type("%x format: an integer is required, not " + Values.type(value)));
  }

  private Value value(@org.jspecify.annotations.Nullable String key) {
    if (key != null) {
      if (!(mapping instanceof Dict dict)) {
        throw Failure.type("format requires a mapping");
      }
      Value found = dict.get(key);
      if (found == null) {
        throw Failure.value("there is no key '" + key + "' to format");
      }
      return found;
    }
    if (next == values.size()) {
      throw Failure.type("not enough arguments for format string");
    }
    return values.get(next++);
  }

  private String pad(String text, String flags, int width, boolean number) {
    if (flags.contains("-")) {
      return Texts.padded(meter, text, width, " ", '<');
    }
    if (number && flags.contains("0")) {
      boolean sign = text.startsWith("-") || text.startsWith("+") || text.startsWith(" ");
      String digits = text.substring(sign ? 1 : 0);
      return (sign ? text.substring(0, 1) : "")
          + Texts.padded(meter, digits, width - (sign ? 1 : 0), "0", '>');
    }
    return Texts.padded(meter, text, width, " ", '>');
  }

  private static String signed(String number, String flags) {
    if (number.startsWith("-")) {
      return number;
    }
    return (flags.contains("+") ? "+" : flags.contains(" ") ? " " : "") + number;
  }

  private static String cut(String text, @org.jspecify.annotations.Nullable String precision) {
    int most = number(precision, Integer.MAX_VALUE);
    return text.codePointCount(0, text.length()) <= most
        ? text
        : text.substring(0, text.offsetByCodePoints(0, most));
  }

  private static int number(@org.jspecify.annotations.Nullable String digits, int otherwise) {
    if (digits == null) {
      return otherwise;
    }
    if (digits.length() > 7) {
      throw Failure.limit("a width or precision of " + digits + " is too large");
    }
    return Integer.parseInt(digits);
  }

  /** Numbers on their way to text. */
  static final class Numbers {
    private static final int MAX_DECIMALS = 1000;

    /** What it costs to write all digits of a float, in steps. */
    private static final int EXACT = 300;

    private Numbers() {}

    /** What %d prints: an int, or a float without its fraction. */
    static BigInteger whole(Value value) {
      if (value instanceof Real(double n)) {
        return truncated(n);
      }
      return Arithmetic.integer(value)
          .orElseThrow(() ->
              Failure.type("%d format: a real number is required, not " + Values.type(value)));
    }

    static BigInteger truncated(double n) {
      if (Double.isNaN(n)) {
        throw Failure.value("cannot convert float NaN to integer");
      }
      if (Double.isInfinite(n)) {
        throw Failure.value("cannot convert float infinity to integer");
      }
      return new BigDecimal(n).toBigInteger();
    }

    static double real(Value value) {
      if (value instanceof Undefined u) {
        throw u.failure();
      }
      if (!Arithmetic.isNumber(value)) {
        throw Failure.type("must be real number, not " + Values.type(value));
      }
      return Arithmetic.real(value);
    }

    /** With so many decimals, halves to even. */
    static String fixed(Meter meter, double n, int decimals) {
      if (decimals > MAX_DECIMALS) {
        throw Failure.limit("more than " + MAX_DECIMALS + " decimals");
      }
      if (Double.isNaN(n) || Double.isInfinite(n)) {
        return Repr.real(meter, n);
      }
      meter.steps(EXACT + decimals);
      String digits =
          new BigDecimal(n).setScale(decimals, RoundingMode.HALF_EVEN).abs().toPlainString();
      return (n < 0 || (n == 0 && 1 / n < 0) ? "-" : "") + digits;
    }
  }
}
