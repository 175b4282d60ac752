package dev.nibble.jinja;

import dev.nibble.jinja.Arguments.Bound;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Generator;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Text;
import dev.nibble.jinja.Value.Undefined;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Filters over lists, dicts and other iterables. */
final class SequenceFilters {
  private SequenceFilters() {}

  static void addTo(Map<String, Filters.Body> all) {
    for (String name : List.of("length", "count")) {
      all.put(
          name,
          (_, v, args) -> {
            args.none(name);
            return Values.of(Values.length(v));
          });
    }
    for (String name : List.of("default", "d")) {
      all.put(name, SequenceFilters::orDefault);
    }
    all.put(
        "list",
        (f, v, args) -> {
          args.none("list");
          List<Value> items = Values.iterate(f.meter(), v);
          f.meter().each(items.size());
          return Items.list(items);
        });
    all.put(
        "first",
        (f, v, args) -> {
          args.none("first");
          return first(f.meter(), v);
        });
    all.put(
        "last",
        (f, v, args) -> {
          args.none("last");
          List<Value> items = Values.iterate(f.meter(), reversible(v));
          return items.isEmpty()
              ? Undefined.hint("No last item, sequence was empty.")
              : items.getLast();
        });
    all.put("reverse", (f, v, args) -> reverse(f.meter(), v, args));
    all.put("items", (f, v, args) -> items(f.meter(), v, args));
    all.put("map", SequenceFilters::map);
    for (String name : List.of("select", "reject")) {
      all.put(name, (f, v, args) -> chosen(f, v, args, v2 -> v2, name.equals("select")));
    }
    for (String name : List.of("selectattr", "rejectattr")) {
      all.put(name, (f, v, args) -> chosenByAttribute(name, f, v, args));
    }
    all.put("sort", SequenceFilters::sort);
    all.put("dictsort", SequenceFilters::dictsort);
    all.put("unique", SequenceFilters::unique);
    for (String name : List.of("min", "max")) {
      all.put(name, (f, v, args) -> extreme(name, f, v, args));
    }
    all.put("sum", SequenceFilters::sum);
  }

  private static Value orDefault(Filters filters, Value value, Arguments args) {
    Bound b = args.bind("default", "default_value", "boolean");
    boolean absent = value instanceof Undefined || (b.flag(1, false) && !Values.truth(value));
    return absent ? b.find(0).orElse(new Text("")) : value;
  }

  private static Value first(Meter meter, Value value) {
    if (value instanceof Generator(Iterator<Value> rest)) {
      return rest.hasNext() ? rest.next() : Undefined.hint("No first item, sequence was empty.");
    }
    List<Value> items = Values.iterate(meter, value);
    return items.isEmpty()
        ? Undefined.hint("No first item, sequence was empty.")
        : items.getFirst();
  }

  private static Value reversible(Value value) {
    return switch (value) {
      case Generator _ -> throw Failure.type("'generator' object is not reversible");
      default -> value;
    };
  }

  private static Value reverse(Meter meter, Value value, Arguments args) {
    args.none("reverse");
    meter.each(Shape.size(value));
    if (value instanceof Text(String text, boolean html)) {
      int[] points = text.codePoints().toArray();
      StringBuilder out = new StringBuilder();
      for (int i = points.length - 1; i >= 0; i--) {
        out.appendCodePoint(points[i]);
      }
      return new Text(out.toString(), html);
    }
    List<Value> items = new ArrayList<>(Values.iterate(meter, value));
    Collections.reverse(items);
    return value instanceof Generator ? Items.list(items) : new Generator(items.iterator());
  }

  private static Value items(Meter meter, Value value, Arguments args) {
    args.none("items");
    return switch (value) {
      case Undefined _ -> new Generator(Collections.emptyIterator());
      case Dict dict -> {
        meter.each(dict.entries().size());
        yield new Generator(dict.pairs().values().iterator());
      }
      default -> throw Failure.type("Can only get item pairs from a mapping.");
    };
  }

  private static Value lazily(
      Filters f, Value value, java.util.function.Function<Stream<Value>, Stream<Value>> change) {
    if (!Values.isIterable(value)) {
      Values.iterate(f.meter(), value);
    }
    Stream<Value> items =
        value instanceof Generator(Iterator<Value> rest)
            ? Stream.iterate(rest, Iterator::hasNext, UnaryOperator.identity()).map(Iterator::next)
            : Values.iterate(f.meter(), value).stream();
    return new Generator(change.apply(items.peek(_ -> f.meter().step())).iterator());
  }

  private static Value map(Filters f, Value value, Arguments args) {
    if (args.positional().isEmpty() && args.keywords().containsKey("attribute")) {
      Bound b = args.bind("map", "attribute", "default");
      AttributePath path = AttributePath.of(b.get(0), f.subscripts()).orElse(b.given(1));
      return lazily(f, value, items -> items.map(path::get));
    }
    if (args.positional().isEmpty()) {
      throw Failure.value("map requires a filter argument");
    }
    String name = Texts.plain(args.positional().getFirst(), "map");
    if (!Filters.NAMES.contains(name)) {
      throw Failure.unsupported("there is no filter '" + name + "'; known are " + Filters.NAMES);
    }
    Arguments rest = rest(args, 1);
    return lazily(f, value, items -> items.map(item -> f.apply(name, item, rest)));
  }

  private static Arguments rest(Arguments args, int from) {
    return new Arguments(
        args.positional().subList(from, args.positional().size()), args.keywords());
  }

  private static Value chosen(
      Filters f, Value value, Arguments args, UnaryOperator<Value> subject, boolean wanted) {
    Predicate<Value> passes;
    if (args.positional().isEmpty()) {
      passes = Values::truth;
    } else {
      String name = Texts.plain(args.positional().getFirst(), "select");
      if (!Predicates.NAMES.contains(name)) {
        throw Failure.unsupported("there is no test '" + name + "'; known are " + Predicates.NAMES);
      }
      Arguments rest = rest(args, 1);
      passes = item -> f.tests().passes(name, item, rest);
    }
    return lazily(
        f, value, items -> items.filter(item -> passes.test(subject.apply(item)) == wanted));
  }

  private static Value chosenByAttribute(String name, Filters f, Value value, Arguments args) {
    if (args.positional().isEmpty()) {
      throw Failure.value("Missing parameter for attribute name");
    }
    AttributePath path = AttributePath.of(args.positional().getFirst(), f.subscripts());
    return chosen(f, value, rest(args, 1), path::get, name.equals("selectattr"));
  }

  /** What values are compared by: themselves or an attribute, text in lower case if so asked. */
  private static UnaryOperator<Value> key(
      Filters f, Optional<Value> attribute, boolean caseSensitive) {
    Optional<AttributePath> path = attribute.map(a -> AttributePath.of(a, f.subscripts()));
    return v -> {
      Value key = path.isPresent() ? path.get().get(v) : v;
      return caseSensitive ? key : folded(f.meter(), key);
    };
  }

  private static Value folded(Meter meter, Value key) {
    if (!(key instanceof Text(String text, boolean html))) {
      return key;
    }
    meter.each(text.length());
    return new Text(CaseMapping.lower(text), html);
  }

  /** A value and what it is compared by, which is found once. */
  private record Keyed(Value value, List<Value> keys) {
    static List<Keyed> of(List<Value> values, List<UnaryOperator<Value>> keys) {
      return values.stream()
          .map(v -> new Keyed(v, keys.stream().map(key -> key.apply(v)).toList()))
          .toList();
    }

    Value key() {
      return keys.getFirst();
    }
  }

  private static Comparator<Keyed> order(Filters f) {
    return (a, b) -> f.operators().order(a.key(), b.key(), "<");
  }

  /**
   * Keys that are equal are never asked for their order, so that even undefined ones are sorted.
   */
  private static Comparator<Keyed> unlessEqual(Filters f, int number) {
    return (a, b) -> {
      Value left = a.keys().get(number);
      Value right = b.keys().get(number);
      f.meter().compare(left, right);
      return left.equals(right) ? 0 : f.operators().order(left, right, "<");
    };
  }

  private static Value sorted(List<Keyed> values, Comparator<Keyed> order, boolean reverse) {
    List<Keyed> sorted = new ArrayList<>(values);
    sorted.sort(reverse ? order.reversed() : order);
    return Items.list(sorted.stream().map(Keyed::value).toList());
  }

  private static Value sort(Filters f, Value value, Arguments args) {
    Bound b = args.bind("sort", "reverse", "case_sensitive", "attribute");
    boolean caseSensitive = b.flag(1, false);
    Optional<Value> attribute = b.given(2);
    List<Optional<Value>> attributes =
        attribute.isPresent() && attribute.get() instanceof Text(String text, boolean _)
            ? Stream.of(text.split(",", -1)).map(a -> Optional.<Value>of(new Text(a))).toList()
            : List.of(attribute);
    List<UnaryOperator<Value>> keys =
        attributes.stream().map(a -> key(f, a, caseSensitive)).toList();
    Comparator<Keyed> order =
        IntStream.range(0, keys.size())
            .mapToObj(number -> unlessEqual(f, number))
            .reduce(Comparator::thenComparing)
            .orElseThrow();
    List<Value> values = Values.iterate(f.meter(), value);
    f.meter().each(values.size());
    return sorted(Keyed.of(values, keys), order, b.flag(0, false));
  }

  private static Value dictsort(Filters f, Value value, Arguments args) {
    Bound b = args.bind("dictsort", "case_sensitive", "by", "reverse");
    String by = b.text(1, "key");
    if (!by.equals("key") && !by.equals("value")) {
      throw Failure.value("You can only sort by either \"key\" or \"value\"");
    }
    if (!(value instanceof Dict dict)) {
      throw Failure.type("dictsort expects a dict, got " + Values.type(value));
    }
    Value place = Values.of(by.equals("key") ? 0 : 1);
    UnaryOperator<Value> key = key(f, Optional.of(place), b.flag(0, false));
    f.meter().each(dict.entries().size());
    return sorted(Keyed.of(dict.pairs().values(), List.of(key)), order(f), b.flag(2, false));
  }

  private static Value unique(Filters f, Value value, Arguments args) {
    Bound b = args.bind("unique", "case_sensitive", "attribute");
    UnaryOperator<Value> key = key(f, b.given(1), b.flag(0, false));
    Set<Value> seen = new HashSet<>();
    return lazily(
        f,
        value,
        items ->
            items.filter(item -> {
              Value found = Values.hashable(key.apply(item));
              f.meter().read(found);
              return seen.add(found);
            }));
  }

  private static Value extreme(String name, Filters f, Value value, Arguments args) {
    Bound b = args.bind(name, "case_sensitive", "attribute");
    UnaryOperator<Value> key = key(f, b.given(1), b.flag(0, false));
    Comparator<Keyed> better = name.equals("min") ? order(f).reversed() : order(f);
    // Of several equal ones the first, as in Python.
    return Keyed.of(Values.iterate(f.meter(), value), List.of(key)).stream()
        .reduce((best, item) -> better.compare(item, best) > 0 ? item : best)
        .map(Keyed::value)
        .orElseGet(() -> Undefined.hint("No aggregated item, sequence was empty."));
  }

  private static Value sum(Filters f, Value value, Arguments args) {
    Bound b = args.bind("sum", "attribute", "start");
    UnaryOperator<Value> key = key(f, b.given(0), true);
    Value total = b.find(1).orElse(Values.of(0));
    if (total instanceof Text) {
      throw Failure.type("sum() can't sum strings [use ''.join(seq) instead]");
    }
    for (Value item : Values.iterate(f.meter(), value)) {
      total = f.operators().binary("+", total, key.apply(item));
    }
    return total;
  }
}
