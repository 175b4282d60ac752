package dev.nibble.jinja;

import dev.nibble.jinja.Arguments.Bound;
import dev.nibble.jinja.Value.Int;
import dev.nibble.jinja.Value.Real;
import dev.nibble.jinja.Value.Text;
import dev.nibble.jinja.Value.Undefined;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Filters that return numbers. */
final class NumberFilters {
  private static final Pattern DECIMAL =
      Pattern.compile("[-+]?(?:\\d++(?:\\.\\d*+)?|\\.\\d++)(?:[eE][-+]?\\d++)?");
  private static final int MAX_DIGITS = 4300;

  /** What it costs to round all digits of a number, in steps. */
  private static final int EXACT = 100;

  private NumberFilters() {}

  static void addTo(Map<String, Filters.Body> all) {
    all.put("int", NumberFilters::toInt);
    all.put("float", NumberFilters::toFloat);
    all.put("round", NumberFilters::round);
    all.put(
        "abs",
        (_, v, args) -> {
          args.none("abs");
          if (!Arithmetic.isNumber(v)) {
            throw Failure.type("bad operand type for abs(): '" + Values.type(v) + "'");
          }
          return v instanceof Real(double n)
              ? new Real(Math.abs(n))
              : new Int(Arithmetic.integer(v).orElseThrow().abs());
        });
  }

  private static Value toInt(Filters filters, Value value, Arguments args) {
    Bound b = args.bind("int", "default", "base");
    Value otherwise = b.find(0).orElse(Values.of(0));
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    if (value instanceof Text(String text, boolean _)) {
      filters.meter().each(text.length());
      long digits = Math.min(text.length(), MAX_DIGITS);
      filters.meter().steps(digits * digits / 1024);
      Optional<Value> whole = parseInt(strip(text), b.whole(1, 10));
      return whole.orElseGet(
          () -> parseFloat(text).flatMap(NumberFilters::truncated).orElse(otherwise));
    }
    if (value instanceof Real real) {
      filters.meter().steps(EXACT);
      if (Double.isInfinite(real.number())) {
        throw Failure.value("cannot convert float infinity to integer");
      }
      return truncated(real).orElse(otherwise);
    }
    return Arithmetic.integer(value).<Value>map(Int::new).orElse(otherwise);
  }

  private static Optional<Value> truncated(Real real) {
    return Double.isNaN(real.number()) || Double.isInfinite(real.number())
        ? Optional.empty()
        : Optional.of(new Int(Printf.Numbers.truncated(real.number())));
  }

  private static String strip(String text) {
    return Characters.stripEnd(
        Characters.stripStart(text, Characters::isSpace), Characters::isSpace);
  }

  private static Optional<Value> parseInt(String text, int base) {
    if (base != 0 && (base < 2 || base > 36)) {
      return Optional.empty();
    }
    boolean signed = text.startsWith("-") || text.startsWith("+");
    if (text.length() > 3 * MAX_DIGITS) {
      return Optional.empty();
    }
    String digits = (signed ? text.substring(1) : text).toLowerCase(Locale.ROOT);
    String prefix = digits.length() > 2 ? digits.substring(0, 2) : "";
    int marked =
        switch (prefix) {
          case "0x" -> 16;
          case "0o" -> 8;
          case "0b" -> 2;
          default -> 0;
        };
    int radix = base == 0 ? (marked == 0 ? 10 : marked) : base;
    if (marked != 0 && marked == radix) {
      digits = digits.substring(2);
      digits = digits.startsWith("_") ? digits.substring(1) : digits;
    } else if (base == 0
        && digits.length() > 1
        && digits.startsWith("0")
        && !digits.replace("_", "").matches("0+")) {
      return Optional.empty();
    }
    if (digits.isEmpty()
        || digits.startsWith("_")
        || digits.endsWith("_")
        || digits.contains("__")) {
      return Optional.empty();
    }
    String plain = digits.replace("_", "");
    if (!plain.chars().allMatch(c -> Character.digit(c, radix) >= 0)
        || plain.length() > MAX_DIGITS) {
      return Optional.empty();
    }
    BigInteger number = new BigInteger(plain, radix);
    return Optional.of(new Int(text.startsWith("-") ? number.negate() : number));
  }

  private static Optional<Real> parseFloat(String given) {
    String text = strip(given);
    String word =
        text.length() > "-infinity".length()
            ? ""
            : text.toLowerCase(Locale.ROOT).replaceFirst("^[-+]", "");
    boolean minus = text.startsWith("-");
    if (word.equals("inf") || word.equals("infinity")) {
      return Optional.of(new Real(minus ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY));
    }
    if (word.equals("nan")) {
      return Optional.of(new Real(Double.NaN));
    }
    // Underlines part digits; the pattern would recur for each.
    if (text.startsWith("_") || text.endsWith("_") || !apart(text)) {
      return Optional.empty();
    }
    String plain = text.replace("_", "");
    return DECIMAL.matcher(plain).matches()
        ? Optional.of(new Real(Double.parseDouble(plain)))
        : Optional.empty();
  }

  /** Whether each underline stands between two digits. */
  private static boolean apart(String text) {
    for (int at = text.indexOf('_'); at >= 0; at = text.indexOf('_', at + 1)) {
      if (!isDigit(text.charAt(at - 1)) || !isDigit(text.charAt(at + 1))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static Value toFloat(Filters filters, Value value, Arguments args) {
    Value otherwise = args.bind("float", "default").find(0).orElse(new Real(0));
    return switch (value) {
      case Undefined u -> throw u.failure();
      case Text(String text, boolean _) -> {
        filters.meter().each(text.length());
        yield parseFloat(text).<Value>map(r -> r).orElse(otherwise);
      }
      default -> Arithmetic.isNumber(value) ? new Real(Arithmetic.real(value)) : otherwise;
    };
  }

  private static Value round(Filters filters, Value value, Arguments args) {
    Bound b = args.bind("round", "precision", "method");
    int precision = b.whole(0, 0);
    String method = b.text(1, "common");
    if (Math.abs(precision) > 1000) {
      throw Failure.limit("round: a precision of " + precision + " is too large");
    }
    if (value instanceof Undefined u) {
      throw Failure.type("round expects a number, got " + Values.type(u));
    }
    if (!Arithmetic.isNumber(value)) {
      throw Failure.type("type " + Values.type(value) + " doesn't define __round__ method");
    }
    Optional<BigInteger> whole = Arithmetic.integer(value);
    filters.meter().steps(EXACT + Math.abs(precision) + whole.map(Arithmetic::writing).orElse(0L));
    return switch (method) {
      case "common" ->
          whole.isPresent()
              ? new Int(
                  new BigDecimal(whole.get())
                      .setScale(Math.min(0, precision), RoundingMode.HALF_EVEN)
                      .toBigInteger())
              : new Real(rounded(Arithmetic.real(value), precision));
      case "ceil", "floor" -> scaled(filters.operators(), value, precision, method.equals("ceil"));
      default -> throw Failure.value("method must be common, ceil or floor");
    };
  }

  private static double rounded(double n, int precision) {
    if (Double.isNaN(n) || Double.isInfinite(n)) {
      return n;
    }
    double result = new BigDecimal(n).setScale(precision, RoundingMode.HALF_EVEN).doubleValue();
    return result == 0 ? Math.copySign(0, n) : result;
  }

  /** {@code ceil(value * 10**precision) / 10**precision}. */
  private static Value scaled(Operators o, Value value, int precision, boolean up) {
    Value factor = o.binary("**", Values.of(10), Values.of(precision));
    Value product = o.binary("*", value, factor);
    Value whole =
        product instanceof Real(double n)
            ? new Int(Printf.Numbers.truncated(up ? Math.ceil(n) : Math.floor(n)))
            : product;
    return o.binary("/", whole, factor);
  }
}
