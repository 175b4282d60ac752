package dev.nibble.jinja;

import dev.nibble.jinja.JinjaException.Kind;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Instance;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Namespace;
import dev.nibble.jinja.Value.None;
import dev.nibble.jinja.Value.Range;
import dev.nibble.jinja.Value.Text;
import dev.nibble.jinja.Value.Undefined;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/** {@code a.b}, {@code a[b]} and slices. */
final class Subscripts {
  private final Meter meter;
  private final Methods methods;

  Subscripts(Meter meter, Methods methods) {
    this.meter = meter;
    this.methods = methods;
  }

  /** {@code value.name}: a method or another attribute first, then an entry. */
  Value attribute(Value value, String name) {
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    Optional<Value> own = ownAttribute(value, name);
    if (own.isPresent()) {
      return own.get();
    }
    if (value instanceof Dict dict) {
      Value entry = dict.get(name);
      if (entry != null) {
        return entry;
      }
    }
    return missing(value, new Text(name));
  }

  /** {@code value[key]}: an entry first, then an attribute. */
  Value item(Value value, Value key) {
    meter.read(key);
    if (value instanceof Text) {
      meter.look(value);
    }
    Optional<Value> entry =
        switch (value) {
          case Undefined u -> throw u.failure();
          case Dict dict -> isHashable(key) ? Optional.ofNullable(dict.get(key)) : Optional.empty();
          case Items items when items.isIndexed() ->
              at(key, items.values().size(), items.values()::get);
          case Range range -> at(key, range.size(), range::at);
          case Text text -> at(key, Values.length(text), i -> character(text, i));
          default -> Optional.empty();
        };
    return entry
        .or(() -> key instanceof Text name ? ownAttribute(value, name.text()) : Optional.empty())
        .orElseGet(() -> missing(value, key));
  }

  private static boolean isHashable(Value key) {
    try {
      Values.hashable(key);
      return true;
    } catch (Failure e) {
      return false;
    }
  }

  private static Optional<Value> at(Value key, int size, IntFunction<Value> items) {
    Optional<BigInteger> index = Arithmetic.integer(key);
    if (index.isEmpty() || index.get().bitLength() > 31) {
      return Optional.empty();
    }
    int i = index.get().intValue();
    int place = i < 0 ? i + size : i;
    return place >= 0 && place < size ? Optional.of(items.apply(place)) : Optional.empty();
  }

  private static Value character(Text text, int index) {
    int c = text.text().codePointAt(text.text().offsetByCodePoints(0, index));
    return new Text(Character.toString(c), text.html());
  }

  private Optional<Value> ownAttribute(Value value, String name) {
    if (name.startsWith("__") && name.endsWith("__")) {
      return Optional.of(unsafe(value, name));
    }
    return switch (value) {
      case Namespace n -> Optional.ofNullable(n.attributes().get(name));
      case Instance i -> Optional.ofNullable(i.attribute(name));
      default -> methods.find(value, name);
    };
  }

  static Value unsafe(Value value, String name) {
    return new Undefined(
        Kind.SECURITY,
        "access to attribute '%s' of '%s' object is unsafe.".formatted(name, Values.type(value)));
  }

  private static Value missing(Value value, Value key) {
    String type = value instanceof None ? "None" : Values.type(value) + " object";
    return Undefined.hint(
        key instanceof Text
            ? "'" + type + "' has no attribute " + Repr.shown(key)
            : type + " has no element " + describe(key));
  }

  private static String describe(Value key) {
    return Arithmetic.isNumber(key) || key instanceof None
        ? Repr.shown(key)
        : "of this " + Values.type(key);
  }

  /** {@code value[from:to:step]}. */
  Value slice(Value value, Optional<Value> from, Optional<Value> to, Optional<Value> step) {
    meter.look(value);
    return switch (value) {
      case Undefined u -> throw u.failure();
      case Text text -> {
        meter.each(text.text().length());
        int[] points = text.text().codePoints().toArray();
        int[] places = places(points.length, from, to, step);
        int[] chosen = new int[places.length];
        for (int i = 0; i < places.length; i++) {
          chosen[i] = points[places[i]];
        }
        yield new Text(new String(chosen, 0, chosen.length), text.html());
      }
      case Items items when items.isIndexed() -> {
        meter.steps(items.values().size());
        List<Value> chosen = new ArrayList<>();
        for (int place : places(items.values().size(), from, to, step)) {
          chosen.add(items.values().get(place));
        }
        yield Items.of(items.type(), chosen);
      }
      case Range range -> {
        Slice s = Slice.of(range.size(), from, to, step);
        yield new Range(
            range.start() + s.start * range.step(),
            range.start() + s.stop * range.step(),
            range.step() * s.step);
      }
      default ->
          throw Failure.type("'" + Values.type(value) + "' object cannot be cut with [from:to]");
    };
  }

  private static int[] places(
      int size, Optional<Value> from, Optional<Value> to, Optional<Value> step) {
    Slice s = Slice.of(size, from, to, step);
    Range range = new Range(s.start, s.stop, s.step);
    int[] places = new int[range.size()];
    for (int i = 0; i < places.length; i++) {
      places[i] = s.start + i * s.step;
    }
    return places;
  }

  /** Bounds within a sequence, as Python's {@code slice.indices} gives them. */
  private record Slice(int start, int stop, int step) {
    static Slice of(int size, Optional<Value> from, Optional<Value> to, Optional<Value> by) {
      int step = Math.clamp(bound(by, 1), -Integer.MAX_VALUE, Integer.MAX_VALUE);
      if (step == 0) {
        throw Failure.value("slice step cannot be zero");
      }
      int low = step > 0 ? 0 : -1;
      int high = step > 0 ? size : size - 1;
      int start = clamped(bound(from, step > 0 ? Long.MIN_VALUE : Long.MAX_VALUE), size, low, high);
      int stop = clamped(bound(to, step > 0 ? Long.MAX_VALUE : Long.MIN_VALUE), size, low, high);
      // A step beyond the sequence takes one item; kept small so that sums cannot overflow.
      return new Slice(start, stop, Math.clamp(step, -size - 1, size + 1));
    }

    private static long bound(Optional<Value> value, long otherwise) {
      Optional<Value> given = value.filter(v -> !(v instanceof None));
      if (given.isEmpty()) {
        return otherwise;
      }
      BigInteger n =
          Arithmetic.integer(given.get())
              .orElseThrow(() -> Failure.type("slice indices must be integers or None"));
      return n.bitLength() > 32 ? n.signum() * (1L << 40) : n.longValue();
    }

    private static int clamped(long bound, int size, int low, int high) {
      boolean fromEnd = bound < 0 && bound != Long.MIN_VALUE;
      return (int) Math.clamp(fromEnd ? bound + size : bound, (long) low, (long) high);
    }
  }

  /** An int argument that fits into 32 bits. */
  static int index(Value value, String user) {
    if (value instanceof Undefined) {
      throw Failure.type(user + " expects an int, got Undefined");
    }
    BigInteger n =
        Arithmetic.integer(value)
            .orElseThrow(() -> Failure.type(user + " expects an int, got " + Values.type(value)));
    if (n.bitLength() > 31) {
      throw Failure.value(user + ": the int " + n + " is too large");
    }
    return n.intValue();
  }
}
