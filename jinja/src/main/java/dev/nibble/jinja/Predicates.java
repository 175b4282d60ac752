package dev.nibble.jinja;

import dev.nibble.jinja.Value.Bool;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Function;
import dev.nibble.jinja.Value.Int;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.None;
import dev.nibble.jinja.Value.Range;
import dev.nibble.jinja.Value.Real;
import dev.nibble.jinja.Value.Text;
import dev.nibble.jinja.Value.Undefined;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Jinja's tests: {@code x is defined}. */
final class Predicates {
  @FunctionalInterface
  private interface Body {
    boolean test(Operators operators, Value value, Arguments args);
  }

  @FunctionalInterface
  private interface Property {
    boolean of(Value value);
  }

  private static final Map<String, Body> ALL = new TreeMap<>();

  static {
    property("defined", v -> !(v instanceof Undefined));
    property("undefined", v -> v instanceof Undefined);
    property("none", v -> v instanceof None);
    property("boolean", v -> v instanceof Bool);
    property("true", v -> v instanceof Bool(boolean b) && b);
    property("false", v -> v instanceof Bool(boolean b) && !b);
    property("integer", v -> v instanceof Int);
    property("float", v -> v instanceof Real);
    property("number", Arithmetic::isNumber);
    property("string", v -> v instanceof Text);
    property("mapping", v -> v instanceof Dict);
    property("iterable", Values::isIterable);
    property("sequence", Predicates::isSequence);
    property("callable", v -> v instanceof Function || v instanceof Loop || v instanceof Undefined);
    property("escaped", v -> v instanceof Text t && t.html());
    ALL.put("lower", (o, v, args) -> isCased(o, "lower", v, args));
    ALL.put("upper", (o, v, args) -> isCased(o, "upper", v, args));
    property(
        "filter", v -> v instanceof Text(String name, boolean _) && Filters.NAMES.contains(name));
    property("test", v -> v instanceof Text(String name, boolean _) && isName(name));
    ALL.put("odd", (o, v, args) -> remainder(o, "odd", v, args).equals(Values.of(1)));
    ALL.put("even", (o, v, args) -> remainder(o, "even", v, args).equals(Values.of(0)));
    ALL.put(
        "divisibleby",
        (o, v, args) ->
            o.binary("%", v, args.bind("divisibleby", "num").get(0)).equals(Values.of(0)));
    ALL.put("in", (o, v, args) -> o.compare("in", v, args.bind("in", "seq").get(0)));
    ALL.put("sameas", (o, v, args) -> isSame(v, args.bind("sameas", "other").get(0)));
    comparison("==", "eq", "equalto", "==");
    comparison("!=", "ne", "!=");
    comparison(">", "gt", "greaterthan", ">");
    comparison(">=", "ge", ">=");
    comparison("<", "lt", "lessthan", "<");
    comparison("<=", "le", "<=");
  }

  /** The tests there are. */
  static final Set<String> NAMES = ALL.keySet();

  private final Operators operators;

  Predicates(Operators operators) {
    this.operators = operators;
  }

  /** Whether a value passes a test. */
  boolean passes(String name, Value value, Arguments args) {
    Body body = ALL.get(name);
    if (body == null) {
      throw Failure.unsupported("there is no test '" + name + "'; known are " + NAMES);
    }
    operators.meter().look(value);
    return body.test(operators, value, args);
  }

  private static boolean isName(String name) {
    return ALL.containsKey(name);
  }

  private static void property(String name, Property property) {
    ALL.put(
        name,
        (_, value, args) -> {
          args.none(name);
          return property.of(value);
        });
  }

  private static void comparison(String operator, String... names) {
    for (String name : names) {
      ALL.put(name, (o, v, args) -> o.compare(operator, v, args.bind(name, "other").get(0)));
    }
  }

  private static boolean isCased(Operators o, String name, Value value, Arguments args) {
    args.none(name);
    String text = Repr.text(o.meter(), value);
    o.meter().each(text.length());
    return TextMethods.isCased(text, name.equals("upper"));
  }

  private static Value remainder(Operators o, String name, Value value, Arguments args) {
    args.none(name);
    return o.binary("%", value, Values.of(2));
  }

  private static boolean isSequence(Value value) {
    return switch (value) {
      case Text _, Dict _, Range _, Undefined _ -> true;
      case Items items -> items.isIndexed();
      default -> false;
    };
  }

  private static boolean isSame(Value a, Value b) {
    if (!isSingleton(a) && !isSingleton(b)) {
      throw Failure.unsupported("the test sameas is supported for true, false and none; use ==");
    }
    return isSingleton(a) && isSingleton(b) && a.equals(b);
  }

  private static boolean isSingleton(Value value) {
    return value instanceof None || value instanceof Bool;
  }
}
