package dev.nibble.jinja;

import dev.nibble.jinja.Value.Real;
import dev.nibble.jinja.Value.Text;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code '{} is {name:.2f}'.format(a, name=b)}, without nested fields. */
final class BraceFormat {
  private static final Pattern FIELD =
      Pattern.compile(
          "\\{\\{|}}|\\{(?<name>\\w*)(?:!(?<conversion>[rs]))?(?::(?<spec>[^{}]*))?}|[{}]");
  private static final Pattern SPEC =
      Pattern.compile(
          "(?:(?<fill>.)?(?<align>[<>^]))?(?<zero>0)?(?<width>\\d{1,7})?(?:\\.(?<precision>\\d{1,4}))?(?<type>[sdf])?");

  /** What it costs to find and read a field, in steps. */
  private static final int FIELD_COST = 8;

  private final Meter meter;
  private int next;

  BraceFormat(Meter meter) {
    this.meter = meter;
  }

  String format(String format, Arguments args) {
    StringBuilder out = new StringBuilder();
    Matcher m = FIELD.matcher(format);
    int from = 0;
    while (m.find(from)) {
      out.append(format, from, m.start());
      meter.steps(FIELD_COST);
      String field =
          switch (m.group()) {
            case "{{" -> "{";
            case "}}" -> "}";
            case "{", "}" ->
                throw Failure.unsupported(
                    "the format string has a brace whose field is not supported; known are {}, {0}, {name}, !r, !s and"
                        + " :[[fill]<>^][0][width][.precision][s|d|f]");
            default -> field(m, args);
          };
      meter.grow(out.length(), field.length());
      out.append(field);
      from = m.end();
    }
    return out.append(format, from, format.length()).toString();
  }

  private String field(Matcher m, Arguments args) {
    Value value = value(m.group("name"), args);
    if (m.group("conversion") != null) {
      value =
          new Text(
              m.group("conversion").equals("r") ? Repr.of(meter, value) : Repr.text(meter, value));
    }
    return m.group("spec") == null || m.group("spec").isEmpty()
        ? Repr.text(meter, value)
        : formatted(value, m.group("spec"));
  }

  private Value value(String name, Arguments args) {
    boolean digits = !name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9');
    if (name.isEmpty() || digits) {
      int at =
          name.isEmpty() ? next++ : name.length() > 4 ? Integer.MAX_VALUE : Integer.parseInt(name);
      if (at >= args.positional().size()) {
        throw Failure.value("Replacement index " + at + " out of range for positional args tuple");
      }
      return args.positional().get(at);
    }
    Value value = args.keywords().get(name);
    if (value == null) {
      throw Failure.value("there is no argument '" + name + "' to format");
    }
    return value;
  }

  private String formatted(Value value, String spec) {
    Matcher m = SPEC.matcher(spec);
    if (!m.matches()) {
      throw Failure.unsupported(
          "the format specification '"
              + spec
              + "' is not supported; known is [[fill]<>^][0][width][.precision][s|d|f]");
    }
    boolean number = Arithmetic.isNumber(value);
    String type = m.group("type") == null ? "" : m.group("type");
    if (!(number || value instanceof Text)
        || (type.equals("s") && number)
        || (!type.isEmpty() && !type.equals("s") && !number)
        || (type.equals("d") && value instanceof Real)) {
      String problem = "unsupported format string '" + spec + "' for " + Values.type(value);
      throw number || value instanceof Text ? Failure.value(problem) : Failure.type(problem);
    }
    String precision = m.group("precision");
    if (number && precision != null && !type.equals("f")) {
      throw Failure.unsupported("a precision without f is not supported: '" + spec + "'");
    }
    String text =
        type.equals("f")
            ? Printf.Numbers.fixed(
                meter, Arithmetic.real(value), precision == null ? 6 : Integer.parseInt(precision))
            : number ? numberText(value) : Repr.text(meter, value);
    if (!number
        && precision != null
        && text.codePointCount(0, text.length()) > Integer.parseInt(precision)) {
      text = text.substring(0, text.offsetByCodePoints(0, Integer.parseInt(precision)));
    }
    int width = m.group("width") == null ? 0 : Integer.parseInt(m.group("width"));
    boolean zero = m.group("zero") != null && m.group("align") == null;
    if (zero && number) {
      String sign = text.startsWith("-") ? "-" : "";
      return sign
          + Texts.padded(meter, text.substring(sign.length()), width - sign.length(), "0", '>');
    }
    String align = m.group("align") == null ? (number ? ">" : "<") : m.group("align");
    String fill = m.group("fill") == null ? (m.group("zero") != null ? "0" : " ") : m.group("fill");
    return centred(text, width, fill, align.charAt(0));
  }

  private String numberText(Value value) {
    return value instanceof Real
        ? Repr.text(meter, value)
        : Repr.decimal(meter, Arithmetic.integer(value).orElseThrow());
  }

  /** Unlike str.center, a format puts the odd space behind. */
  private String centred(String text, int width, String fill, char side) {
    if (side != '^') {
      return Texts.padded(meter, text, width, fill, side);
    }
    int length = text.codePointCount(0, text.length());
    String left = Texts.padded(meter, text, length + Math.max(0, width - length) / 2, fill, '>');
    return Texts.padded(meter, left, width, fill, '<');
  }
}
