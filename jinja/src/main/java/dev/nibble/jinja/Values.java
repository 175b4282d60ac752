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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Operations that every value has: its type, its truth, its iteration. */
public final class Values {
  private Values() {}

  /**
   * The value of plain data, such as a JSON reader gives: texts, numbers, booleans, lists, maps
   * with text keys, and null.
   *
   * @throws IllegalArgumentException for anything else, or data nested too deeply
   */
  public static Value of(@Nullable Object plain) {
    try {
      return of(plain, 0);
    } catch (Failure e) {
      throw new IllegalArgumentException(e.reason(), e);
    }
  }

  private static Value of(@Nullable Object plain, int depth) {
    Shape.checkDepth(depth);
    return switch (plain) {
      case null -> Value.NONE;
      case Value v -> v;
      case String s -> new Text(s);
      case Boolean b -> of(b.booleanValue());
      case BigInteger n -> new Int(n);
      case BigDecimal n -> new Real(n.doubleValue());
      case Double n -> new Real(n);
      case Float n -> new Real(n);
      case Number n -> of(n.longValue());
      case List<?> list -> {
        List<Value> items = new ArrayList<>(list.size());
        for (Object item : list) {
          items.add(of(item, depth + 1));
        }
        yield Items.list(items);
      }
      case Map<?, ?> map -> {
        Map<Value, Value> entries = new LinkedHashMap<>();
        map.forEach((k, v) -> entries.put(new Text(String.valueOf(k)), of(v, depth + 1)));
        yield new Dict(entries);
      }
      default ->
          throw new IllegalArgumentException(
              "a template cannot use a value of " + plain.getClass().getSimpleName());
    };
  }

  /** The text that Python's {@code str} makes of a value. */
  public static String text(Value value) {
    return Repr.text(new Meter(Limits.STANDARD), value);
  }

  /**
   * The text that Python's {@code json.dumps} makes of plain data, without escapes of letters.
   *
   * @throws IllegalArgumentException for what JSON cannot express
   */
  public static String json(Value value) {
    try {
      return Json.dumps(value);
    } catch (Failure e) {
      throw new IllegalArgumentException(e.reason(), e);
    }
  }

  /** The elements of a list or tuple; nothing for another value. */
  public static List<Value> elements(Value value) {
    return value instanceof Items items && items.isIndexed() ? items.values() : List.of();
  }

  static Value of(boolean truth) {
    return truth ? Value.TRUE : Value.FALSE;
  }

  static Value of(long number) {
    return new Int(BigInteger.valueOf(number));
  }

  /** The name of the type in Python. */
  static String type(Value value) {
    return switch (value) {
      case Undefined _ -> "Undefined";
      case None _ -> "NoneType";
      case Bool _ -> "bool";
      case Int _ -> "int";
      case Real _ -> "float";
      case Text t -> t.html() ? "Markup" : "str";
      case Items items -> items.type().python();
      case Dict _ -> "dict";
      case Range _ -> "range";
      case Generator _ -> "generator";
      case Namespace _ -> "Namespace";
      case Function _ -> "function";
      case Instance i -> i.pythonType();
    };
  }

  /** Whether it counts as true. */
  static boolean truth(Value value) {
    return switch (value) {
      case Undefined _, None _ -> false;
      case Bool(boolean b) -> b;
      case Int(BigInteger n) -> n.signum() != 0;
      case Real(double n) -> n != 0;
      case Text(String text, boolean _) -> !text.isEmpty();
      case Items items -> !items.values().isEmpty();
      case Dict dict -> !dict.entries().isEmpty();
      case Range range -> range.size() > 0;
      case Generator _, Namespace _, Function _, Instance _ -> true;
    };
  }

  /** Everything that iterating over it gives; a generator is used up. */
  static List<Value> iterate(Meter meter, Value value) {
    return switch (value) {
      case Undefined _ -> List.of();
      case Text t -> {
        meter.work(t.text().length());
        meter.steps(t.text().length());
        yield characters(t);
      }
      case Items items -> items.values();
      case Dict dict -> {
        meter.each(dict.entries().size());
        yield List.copyOf(dict.entries().keySet());
      }
      case Range range -> {
        meter.each(range.size());
        yield IntStream.range(0, range.size()).mapToObj(range::at).toList();
      }
      case Generator generator -> {
        List<Value> rest = new ArrayList<>();
        generator
            .rest()
            .forEachRemaining(item -> {
              meter.step();
              rest.add(item);
            });
        yield rest;
      }
      default -> throw Failure.type("'" + type(value) + "' object is not iterable");
    };
  }

  static boolean isIterable(Value value) {
    return switch (value) {
      case Undefined _, Text _, Items _, Dict _, Range _, Generator _ -> true;
      default -> false;
    };
  }

  private static List<Value> characters(Text text) {
    return text.text()
        .codePoints()
        .<Value>mapToObj(c -> new Text(Character.toString(c), text.html()))
        .toList();
  }

  /** What {@code len} gives. */
  static int length(Value value) {
    return switch (value) {
      case Undefined _ -> 0;
      case Text(String text, boolean _) -> text.codePointCount(0, text.length());
      case Items items -> items.values().size();
      case Dict dict -> dict.entries().size();
      case Range range -> range.size();
      case Loop loop -> loop.length();
      default -> throw Failure.type("object of type '" + type(value) + "' has no len()");
    };
  }

  /** The value as a dictionary key; lists and dicts cannot be one. */
  static Value hashable(Value value) {
    switch (value) {
      case Dict _ -> throw Failure.type("unhashable type: 'dict'");
      case Items items when items.type() == Items.Type.TUPLE ->
          items.values().forEach(Values::hashable);
      case Items items -> throw Failure.type("unhashable type: '" + items.type().python() + "'");
      default -> {}
    }
    return value;
  }
}
