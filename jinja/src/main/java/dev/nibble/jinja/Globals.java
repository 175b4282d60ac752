package dev.nibble.jinja;

import dev.nibble.jinja.JinjaException.Kind;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Function;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Namespace;
import dev.nibble.jinja.Value.Range;
import dev.nibble.jinja.Value.Text;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template can call. */
final class Globals {
  private Globals() {}

  /** The functions by name; {@code strftime_now} tells the time {@code now}. */
  static Map<String, Value> at(LocalDateTime now, Meter meter) {
    Map<String, Value> globals = new LinkedHashMap<>();
    add(globals, "range", Globals::range);
    add(globals, "dict", args -> new Dict(entries(meter, "dict", args)));
    add(globals, "namespace", args -> namespace(meter, args));
    add(globals, "cycler", args -> new Cycler(args.positional()));
    add(globals, "joiner", Globals::joiner);
    add(
        globals,
        "raise_exception",
        args -> {
          throw Failure.of(
              Kind.RAISED, Repr.text(meter, args.bind("raise_exception", "message").get(0)));
        });
    add(
        globals,
        "strftime_now",
        args -> new Text(Strftime.format(meter, now, args.bind("strftime_now", "format").text(0))));
    return globals;
  }

  private static void add(Map<String, Value> globals, String name, Function.Body body) {
    globals.put(name, Function.of(name, body));
  }

  private static Value range(Arguments args) {
    Arguments.Bound b = args.bind("range", "start", "stop", "step");
    int first = Subscripts.index(b.get(0), "range");
    boolean one = b.find(1).isEmpty();
    int step = b.whole(2, 1);
    if (step == 0) {
      throw Failure.value("range() arg 3 must not be zero");
    }
    Range range = new Range(one ? 0 : first, one ? first : b.whole(1, 0), step);
    if (range.size() > Limits.RANGE) {
      throw Failure.limit(
          "Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + Limits.RANGE + ").");
    }
    return range;
  }

  private static Value namespace(Meter meter, Arguments args) {
    Namespace namespace = new Namespace();
    entries(meter, "namespace", args)
        .forEach((k, v) -> namespace.attributes().put(Texts.plain(k, "namespace"), v));
    return namespace;
  }

  private static Map<Value, Value> entries(Meter meter, String function, Arguments args) {
    if (args.positional().size() > 1) {
      throw Failure.type(
          "%s expected at most 1 argument, got %d".formatted(function, args.positional().size()));
    }
    Map<Value, Value> entries = new LinkedHashMap<>();
    for (Value given : args.positional()) {
      if (given instanceof Dict dict) {
        meter.read(dict);
        entries.putAll(dict.entries());
      } else {
        for (Value pair : Values.iterate(meter, given)) {
          List<Value> parts = Values.iterate(meter, pair);
          meter.step();
          if (parts.size() != 2) {
            throw Failure.value(function + " needs pairs of key and value");
          }
          meter.read(parts.getFirst());
          entries.put(Values.hashable(parts.getFirst()), parts.getLast());
        }
      }
    }
    args.keywords().forEach((k, v) -> entries.put(new Text(k), v));
    return entries;
  }

  private static Value joiner(Arguments args) {
    Value separator = args.bind("joiner", "sep").find(0).orElse(new Text(", "));
    boolean[] used = new boolean[1];
    return Function.of(
        "joiner",
        call -> {
          call.none("joiner");
          Value result = used[0] ? separator : new Text("");
          used[0] = true;
          return result;
        });
  }

  /** A tuple of the values that a call was given. */
  static Value tuple(List<Value> values) {
    return Items.of(Items.Type.TUPLE, values);
  }
}
