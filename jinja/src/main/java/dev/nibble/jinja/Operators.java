package dev.nibble.jinja;

import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Text;
import dev.nibble.jinja.Value.Undefined;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Python's operators. */
final class Operators {
  private final Meter meter;

  Operators(Meter meter) {
    this.meter = meter;
  }

  /** {@code + - * / // % **}. */
  Value binary(String operator, Value left, Value right) {
    if (Arithmetic.isNumber(left) && Arithmetic.isNumber(right)) {
      meter.steps(Arithmetic.cost(operator, left, right));
      return Arithmetic.apply(operator, left, right);
    }
    if (operator.equals("%") && left instanceof Text format) {
      return Printf.format(meter, format, right);
    }
    refuseUndefined(left, right);
    if (operator.equals("+")) {
      if (left instanceof Text a && right instanceof Text b) {
        return Texts.concat(meter, List.of(a, b));
      }
      if (left instanceof Items a
          && right instanceof Items b
          && a.type() == b.type()
          && a.isIndexed()) {
        meter.steps((long) a.values().size() + b.values().size());
        List<Value> all = new ArrayList<>(a.values());
        all.addAll(b.values());
        return Items.of(a.type(), all);
      }
    }
    if (operator.equals("*")) {
      Optional<Value> repeated = repeat(left, right).or(() -> repeat(right, left));
      if (repeated.isPresent()) {
        return repeated.get();
      }
    }
    throw Failure.type(
        "unsupported operand type(s) for %s: '%s' and '%s'"
            .formatted(operator, Values.type(left), Values.type(right)));
  }

  Meter meter() {
    return meter;
  }

  private static void refuseUndefined(Value left, Value right) {
    if (left instanceof Undefined u) {
      throw u.failure();
    }
    if (right instanceof Undefined u) {
      throw u.failure();
    }
  }

  private Optional<Value> repeat(Value sequence, Value count) {
    Optional<BigInteger> number = Arithmetic.integer(count);
    if (number.isEmpty()) {
      return Optional.empty();
    }
    int times =
        number.get().max(BigInteger.ZERO).min(BigInteger.valueOf(Integer.MAX_VALUE)).intValue();
    return switch (sequence) {
      case Text(String text, boolean html) ->
          Optional.of(new Text(Texts.repeat(meter, text, text.isEmpty() ? 0 : times), html));
      case Items items when items.isIndexed() -> {
        List<Value> all = new ArrayList<>();
        if (!items.values().isEmpty()) {
          meter.steps((long) items.values().size() * times);
          for (int i = 0; i < times; i++) {
            all.addAll(items.values());
          }
        }
        yield Optional.of(Items.of(items.type(), all));
      }
      default -> Optional.empty();
    };
  }

  /** {@code == != < <= > >= in} and {@code not in}. */
  boolean compare(String operator, Value left, Value right) {
    return switch (operator) {
      case "==" -> equal(left, right);
      case "!=" -> !equal(left, right);
      case "in" -> contains(right, left);
      case "not in" -> !contains(right, left);
      default -> ordered(operator, left, right);
    };
  }

  private boolean equal(Value left, Value right) {
    meter.compare(left, right);
    return left.equals(right);
  }

  private boolean ordered(String operator, Value left, Value right) {
    refuseUndefined(left, right);
    if (Arithmetic.isNan(left) || Arithmetic.isNan(right)) {
      return false;
    }
    int order = order(left, right, operator);
    return switch (operator) {
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  /** Which of two values comes first: negative for {@code left}, 0 when they are equal. */
  int order(Value left, Value right, String operator) {
    meter.compare(left, right);
    meter.steps(2);
    if (Arithmetic.isNumber(left) && Arithmetic.isNumber(right)) {
      return Arithmetic.compare(left, right);
    }
    if (left instanceof Text a && right instanceof Text b) {
      return Characters.compare(a.text(), b.text());
    }
    if (left instanceof Items a
        && right instanceof Items b
        && a.type() == b.type()
        && a.isIndexed()) {
      int common = Math.min(a.values().size(), b.values().size());
      for (int i = 0; i < common; i++) {
        if (!a.values().get(i).equals(b.values().get(i))) {
          return order(a.values().get(i), b.values().get(i), operator);
        }
      }
      return Integer.compare(a.values().size(), b.values().size());
    }
    refuseUndefined(left, right);
    throw Failure.type(
        "'%s' not supported between instances of '%s' and '%s'"
            .formatted(operator, Values.type(left), Values.type(right)));
  }

  private boolean contains(Value container, Value item) {
    return switch (container) {
      case Text(String text, boolean _) -> {
        if (!(item instanceof Text(String part, boolean _))) {
          throw Failure.type(
              "'in <string>' requires string as left operand, not " + Values.type(item));
        }
        yield Search.contains(meter, text, part);
      }
      case Dict dict -> {
        meter.read(item);
        yield dict.get(Values.hashable(item)) != null;
      }
      default -> {
        if (!Values.isIterable(container)) {
          throw Failure.type("argument of type '" + Values.type(container) + "' is not iterable");
        }
        for (Value candidate : Values.iterate(meter, container)) {
          if (equal(candidate, item)) {
            yield true;
          }
        }
        yield false;
      }
    };
  }
}
