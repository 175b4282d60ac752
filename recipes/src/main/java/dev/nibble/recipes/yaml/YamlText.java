package dev.nibble.recipes.yaml;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/**
 * Writer of plain values (text, numbers, booleans, lists and maps of these) as YAML that {@link
 * Yaml} reads back.
 */
public final class YamlText {
  private YamlText() {}

  /** {@code key: value} and a line break; lists and maps go below the key, indented. */
  public static String entry(String key, Object value) {
    return entry("", key, value);
  }

  private static String entry(String indent, String key, Object value) {
    return switch (value) {
      case List<?> list when list.stream().anyMatch(Map.class::isInstance) ->
          indent + key + ":\n" + items(indent + "  ", list);
      case Map<?, ?> map -> indent + key + ":\n" + entries(indent + "  ", map);
      default -> indent + key + ": " + inline(value) + "\n";
    };
  }

  private static String items(String indent, List<?> list) {
    StringBuilder s = new StringBuilder();
    for (Object item : list) {
      if (item instanceof Map<?, ?> map) {
        s.append(indent).append("- ").append(entries(indent + "  ", map).stripLeading());
      } else {
        s.append(indent).append("- ").append(inline(item)).append('\n');
      }
    }
    return s.toString();
  }

  private static String entries(String indent, Map<?, ?> map) {
    StringBuilder s = new StringBuilder();
    map.forEach((k, v) -> s.append(entry(indent, String.valueOf(k), v)));
    return s.toString();
  }

  /** A value on one line. */
  public static String inline(Object value) {
    return switch (value) {
      case String text ->
          text.matches("[A-Za-z_/][A-Za-z0-9_./-]*") && plain(text) ? text : quote(text);
      case Double number -> number(number);
      case List<?> list ->
          String.join(", ", list.stream().map(YamlText::inline).toList())
              .transform(s -> "[" + s + "]");
      default -> String.valueOf(value);
    };
  }

  private static boolean plain(String text) {
    return new Node.Scalar(new Place(Origin.option(""), 1, 1), text, false).kind()
        == Node.Scalar.Kind.TEXT;
  }

  private static String number(double value) {
    BigDecimal exact = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    boolean oneDigit = exact.unscaledValue().abs().compareTo(BigInteger.TEN) < 0;
    return exact.scale() > 3 && oneDigit
        ? exact.unscaledValue() + "e-" + exact.scale()
        : exact.toPlainString();
  }

  private static String quote(String text) {
    StringBuilder s = new StringBuilder("\"");
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '"' -> s.append("\\\"");
            case '\\' -> s.append("\\\\");
            case '\n' -> s.append("\\n");
            case '\t' -> s.append("\\t");
            case '\r' -> s.append("\\r");
            default -> {
              if (c < 0x20 || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029 || c == 0xfeff) {
                s.append("\\u%04x".formatted(c));
              } else {
                s.appendCodePoint(c);
              }
            }
          }
        });
    return s.append('"').toString();
  }
}
