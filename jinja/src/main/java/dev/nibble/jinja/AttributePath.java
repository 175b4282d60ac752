package dev.nibble.jinja;

import dev.nibble.jinja.Value.Text;
import dev.nibble.jinja.Value.Undefined;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The attribute that filters such as {@code map(attribute='a.b')} ask for.
 *
 * @param keys what to look up, one after another
 * @param missing what stands for an undefined result
 */
record AttributePath(List<Value> keys, Optional<Value> missing, Subscripts subscripts) {
  /** The path in a filter's argument: a name, names with dots, or a number. */
  static AttributePath of(Value attribute, Subscripts subscripts) {
    return new AttributePath(keys(attribute), Optional.empty(), subscripts);
  }

  AttributePath orElse(Optional<Value> value) {
    return new AttributePath(keys, value, subscripts);
  }

  private static List<Value> keys(Value attribute) {
    if (!(attribute instanceof Text(String text, boolean _))) {
      return List.of(attribute);
    }
    return Arrays.stream(text.split("\\.", -1)).map(AttributePath::key).toList();
  }

  private static Value key(String part) {
    boolean digits =
        !part.isEmpty() && part.length() < 10 && part.chars().allMatch(c -> c >= '0' && c <= '9');
    return digits ? new Value.Int(new BigInteger(part)) : new Text(part);
  }

  Value get(Value of) {
    Value value = of;
    for (Value key : keys) {
      value = subscripts.item(value, key);
      if (value instanceof Undefined && missing.isPresent()) {
        value = missing.get();
      }
    }
    return value;
  }
}
