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
  private Repr() {}

  /** What {@code str} gives. */
  static String text(Value value) {
    return switch (value) {
      case Text(String text, boolean _) -> text;
      case Undefined _ -> "";
      default -> of(value);
    };
  }

  /** What {@code repr} gives. */
  static String of(Value value) {
    StringBuilder out = new StringBuilder();
    write(value, out, 0);
    return out.toString();
  }

  private static void write(Value value, StringBuilder out, int depth) {
    Shape.checkDepth(depth);
    Shape.checkText(out.length());
    switch (value) {
      case Undefined _ -> out.append("Undefined");
      case None _ -> out.append("None");
      case Bool(boolean b) -> out.append(b ? "True" : "False");
      case Int(BigInteger n) -> out.append(n);
      case Real(double n) -> out.append(real(n));
      case Text(String text, boolean html) -> {
        out.append(html ? "Markup(" : "");
        quote(text, out);
        out.append(html ? ")" : "");
      }
      case Items items -> items(items, out, depth);
      case Dict dict -> entries(dict.entries(), out, depth);
      case Range r -> {
        out.append("range(").append(r.start()).append(", ").append(r.stop());
        out.append(r.step() == 1 ? ")" : ", " + r.step() + ")");
      }
      case Namespace n -> {
        out.append("<Namespace {");
        String separator = "";
        for (Map.Entry<String, Value> e : n.attributes().entrySet()) {
          out.append(separator);
          quote(e.getKey(), out);
          write(e.getValue(), out.append(": "), depth + 1);
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

  private static void items(Items items, StringBuilder out, int depth) {
    boolean tuple = items.type() == Items.Type.TUPLE;
    boolean view = !items.isIndexed();
    out.append(view ? items.type().python() + "([" : tuple ? "(" : "[");
    String separator = "";
    for (Value item : items.values()) {
      write(item, out.append(separator), depth + 1);
      separator = ", ";
    }
    out.append(tuple && items.values().size() == 1 ? "," : "");
    out.append(view ? "])" : tuple ? ")" : "]");
  }

  private static void entries(Map<Value, Value> entries, StringBuilder out, int depth) {
    out.append('{');
    String separator = "";
    for (Map.Entry<Value, Value> e : entries.entrySet()) {
      write(e.getKey(), out.append(separator), depth + 1);
      write(e.getValue(), out.append(": "), depth + 1);
      separator = ", ";
    }
    out.append('}');
  }

  private static void quote(String text, StringBuilder out) {
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
                out.append(
                    (c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x").formatted(c));
              }
            }
          }
        });
    out.append(quote);
  }

  /** Java writes at least two digits, even where one is enough. */
  private static BigDecimal shortest(double n) {
    BigDecimal digits = new BigDecimal(Double.toString(n)).stripTrailingZeros();
    BigDecimal one = new BigDecimal(n).round(new MathContext(1));
    return digits.precision() == 2 && one.doubleValue() == n ? one.stripTrailingZeros() : digits;
  }

  /** The shortest decimal that reads back as the number, with an exponent where Python has one. */
  static String real(double n) {
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
      return "%s%s%se%s%02d"
          .formatted(
              sign, digits.charAt(0), fraction, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
    String plain = shortest.abs().toPlainString();
    return sign + plain + (plain.indexOf('.') < 0 ? ".0" : "");
  }
}
