package dev.nibble.jinja;

import dev.nibble.jinja.Value.Bool;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Function;
import dev.nibble.jinja.Value.Generator;
import dev.nibble.jinja.Value.Instance;
import dev.nibble.jinja.Value.Int;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Namespace;
import dev.nibble.jinja.Value.None;
import dev.nibble.jinja.Value.Range;
import dev.nibble.jinja.Value.Real;
import dev.nibble.jinja.Value.Text;
import dev.nibble.jinja.Value.Undefined;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.Map;

/** Values as Python prints them. */
final class Repr {
  private static final int SHOWN = 120;

  /** What it costs to write a float, in steps. */
  private static final int REAL = 16;

  private final Meter meter;
  private final StringBuilder out = new StringBuilder();
  private int charged;

  private Repr(Meter meter) {
    this.meter = meter;
  }

  /** What {@code str} gives. */
  static String text(Meter meter, Value value) {
    return switch (value) {
      case Text(String text, boolean _) -> text;
      case Undefined _ -> "";
      default -> of(meter, value);
    };
  }

  /** What {@code repr} gives. */
  static String of(Meter meter, Value value) {
    Repr repr = new Repr(meter);
    repr.write(value, 0);
    repr.charge();
    return repr.out.toString();
  }

  /**
   * What {@code repr} gives of a number or a text that is part of a message, cut when it is long.
   */
  static String shown(Value value) {
    Value cut =
        value instanceof Text(String text, boolean html) && text.length() > SHOWN
            ? new Text(text.substring(0, text.offsetByCodePoints(0, SHOWN / 2)) + "...", html)
            : value;
    return of(new Meter(Limits.STANDARD), cut);
  }

  private void charge() {
    meter.each(out.length() - charged);
    charged = out.length();
  }

  private void write(Value value, int depth) {
    Shape.checkDepth(depth);
    Shape.checkText(out.length());
    charge();
    switch (value) {
      case Undefined _ -> out.append("Undefined");
      case None _ -> out.append("None");
      case Bool(boolean b) -> out.append(b ? "True" : "False");
      case Int(BigInteger n) -> out.append(decimal(meter, n));
      case Real(double n) -> out.append(real(meter, n));
      case Text(String text, boolean html) -> {
        out.append(html ? "Markup(" : "");
        quote(text);
        out.append(html ? ")" : "");
      }
      case Items items -> items(items, depth);
      case Dict dict -> entries(dict.entries(), depth);
      case Range r -> {
        out.append("range(").append(r.start()).append(", ").append(r.stop());
        out.append(r.step() == 1 ? ")" : ", " + r.step() + ")");
      }
      case Namespace n -> {
        out.append("<Namespace {");
        String separator = "";
        for (Map.Entry<String, Value> e : n.attributes().entrySet()) {
          out.append(separator);
          quote(e.getKey());
          out.append(": ");
          write(e.getValue(), depth + 1);
          separator = ", ";
        }
        out.append("}>");
      }
      case Generator _ ->
          throw Failure.unsupported(
              "a generator cannot be printed (Python prints its address); add | list or | join");
      case Function f -> {
        if (f.repr().isEmpty()) {
          throw Failure.unsupported(
              "the function "
                  + f.name()
                  + " cannot be printed (Python prints its address); call it");
        }
        out.append(f.repr());
      }
      case Instance i -> out.append(i.repr());
    }
  }

  private void items(Items items, int depth) {
    boolean tuple = items.type() == Items.Type.TUPLE;
    boolean view = !items.isIndexed();
    out.append(view ? items.type().python() + "([" : tuple ? "(" : "[");
    String separator = "";
    for (Value item : items.values()) {
      out.append(separator);
      write(item, depth + 1);
      separator = ", ";
    }
    out.append(tuple && items.values().size() == 1 ? "," : "");
    out.append(view ? "])" : tuple ? ")" : "]");
  }

  private void entries(Map<Value, Value> entries, int depth) {
    out.append('{');
    String separator = "";
    for (Map.Entry<Value, Value> e : entries.entrySet()) {
      out.append(separator);
      write(e.getKey(), depth + 1);
      out.append(": ");
      write(e.getValue(), depth + 1);
      separator = ", ";
    }
    out.append('}');
  }

  private void quote(String text) {
    meter.each(text.length());
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '\\' -> out.append("\\\\");
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            default -> {
              if (c == quote) {
                out.append('\\').appendCodePoint(c);
              } else if (Characters.isPrintable(c)) {
                out.appendCodePoint(c);
              } else {
                out.append(c < 0x100 ? "\\x" : c < 0x10000 ? "\\u" : "\\U");
                hex(c, c < 0x100 ? 2 : c < 0x10000 ? 4 : 8, out);
              }
            }
          }
        });
    out.append(quote);
  }

  /** Hexadecimal digits, with zeros in front. */
  static void hex(int number, int width, StringBuilder out) {
    for (int shift = 4 * (width - 1); shift >= 0; shift -= 4) {
      out.append(Character.forDigit(number >>> shift & 0xf, 16));
    }
  }

  /** The decimal digits of an int. */
  static String decimal(Meter meter, BigInteger number) {
    meter.steps(Arithmetic.writing(number));
    return number.toString();
  }

  /** Java writes at least two digits, even where one is enough. */
  private static BigDecimal shortest(double n) {
    BigDecimal digits = new BigDecimal(Double.toString(n)).stripTrailingZeros();
    if (digits.precision() != 2) {
      return digits;
    }
    BigDecimal one = digits.round(new MathContext(1));
    return one.doubleValue() == n ? one.stripTrailingZeros() : digits;
  }

  /** The shortest decimal that reads back as the number, with an exponent where Python has one. */
  static String real(Meter meter, double n) {
    meter.steps(REAL);
    if (Double.isNaN(n)) {
      return "nan";
    }
    if (Double.isInfinite(n)) {
      return n > 0 ? "inf" : "-inf";
    }
    if (n == 0) {
      return 1 / n > 0 ? "0.0" : "-0.0";
    }
    BigDecimal shortest = shortest(n);
    String digits = shortest.unscaledValue().abs().toString();
    int exponent = digits.length() - 1 - shortest.scale();
    String sign = n < 0 ? "-" : "";
    if (exponent < -4 || exponent >= 16) {
      String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
      String size = Math.abs(exponent) < 10 ? "0" : "";
      return sign
          + digits.charAt(0)
          + fraction
          + (exponent < 0 ? "e-" : "e+")
          + size
          + Math.abs(exponent);
    }
    String plain = shortest.abs().toPlainString();
    return sign + plain + (plain.indexOf('.') < 0 ? ".0" : "");
  }
}
