package dev.nibble.jinja;

import dev.nibble.jinja.Value.Bool;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Int;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.None;
import dev.nibble.jinja.Value.Real;
import dev.nibble.jinja.Value.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Values as Python's {@code json.dumps} writes them.
 *
 * @param ascii whether other characters are escaped
 * @param indent what a level of nesting starts with; empty text for line breaks alone, none for one
 *     line
 */
record Json(
    boolean ascii,
    Optional<String> indent,
    String itemSeparator,
    String keySeparator,
    boolean sorted,
    Operators operators) {

  /** As {@code json.dumps(value, ensure_ascii=False)}. */
  static String dumps(Value value) {
    Operators operators = new Operators(new Meter(Limits.STANDARD));
    return new Json(false, Optional.empty(), ", ", ": ", false, operators).write(value);
  }

  String write(Value value) {
    StringBuilder out = new StringBuilder();
    write(value, 1, out);
    return operators.meter().text(out.toString());
  }

  private void write(Value value, int level, StringBuilder out) {
    Shape.checkText(out.length());
    operators.meter().step();
    switch (value) {
      case Text(String text, boolean _) -> quote(text, out);
      case None _, Bool _, Int _, Real _ -> out.append(scalar(value));
      case Items items when items.isIndexed() -> {
        out.append('[');
        String separator = "";
        for (Value item : items.values()) {
          out.append(separator);
          newLine(level, out);
          write(item, level + 1, out);
          separator = itemSeparator;
        }
        close(items.values().isEmpty(), level, ']', out);
      }
      case Dict dict -> {
        out.append('{');
        String separator = "";
        for (Map.Entry<Value, Value> e : entries(dict)) {
          out.append(separator);
          newLine(level, out);
          quote(key(e.getKey()), out);
          out.append(keySeparator);
          write(e.getValue(), level + 1, out);
          separator = itemSeparator;
        }
        close(dict.entries().isEmpty(), level, '}', out);
      }
      default ->
          throw Failure.type("Object of type " + Values.type(value) + " is not JSON serializable");
    }
  }

  private void newLine(int level, StringBuilder out) {
    indent.ifPresent(i -> {
      long added = (long) i.length() * level;
      Shape.checkText(out.length() + added);
      operators.meter().work(added);
      out.append('\n').repeat(i, level);
    });
  }

  private void close(boolean empty, int level, char bracket, StringBuilder out) {
    if (!empty) {
      newLine(level - 1, out);
    }
    out.append(bracket);
  }

  private List<Map.Entry<Value, Value>> entries(Dict dict) {
    List<Map.Entry<Value, Value>> entries = new ArrayList<>(dict.entries().entrySet());
    if (sorted) {
      entries.sort((a, b) -> operators.order(a.getKey(), b.getKey(), "<"));
    }
    return entries;
  }

  private String key(Value key) {
    return switch (key) {
      case Text(String text, boolean _) -> text;
      case None _, Bool _, Int _, Real _ -> scalar(key);
      default ->
          throw Failure.type("keys must be str, int, float, bool or None, not " + Values.type(key));
    };
  }

  private String scalar(Value value) {
    return switch (value) {
      case None _ -> "null";
      case Bool(boolean b) -> b ? "true" : "false";
      case Real(double n) when Double.isNaN(n) -> "NaN";
      case Real(double n) when Double.isInfinite(n) -> n > 0 ? "Infinity" : "-Infinity";
      default -> Repr.of(operators.meter(), value);
    };
  }

  private void quote(String text, StringBuilder out) {
    operators.meter().each(text.length());
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\f' -> out.append("\\f");
        case '\b' -> out.append("\\b");
        default -> {
          if (c < ' ' || (ascii && c > '~')) {
            Repr.hex(c, 4, out.append("\\u"));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
