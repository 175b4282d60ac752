package dev.nibble.jinja;

import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Function;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The methods of Python's own types. */
final class Methods {
  private static final Set<String> LIST_CHANGES =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
  private static final Set<String> DICT_CHANGES =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private final Meter meter;
  private final TextMethods texts;

  Methods(Meter meter) {
    this.meter = meter;
    this.texts = new TextMethods(meter);
  }

  /** The method of this name, if the type has it. */
  Optional<Value> find(Value value, String name) {
    meter.look(value);
    return switch (value) {
      case Text text -> texts.find(text, name);
      case Dict dict -> dictMethod(dict, name);
      case Items items when items.type() == Items.Type.LIST ->
          LIST_CHANGES.contains(name)
              ? Optional.of(Subscripts.unsafe(items, name))
              : sequenceMethod(items, name);
      case Items items when items.type() == Items.Type.TUPLE -> sequenceMethod(items, name);
      default -> Optional.empty();
    };
  }

  private static Optional<Value> method(String name, Function.Body body) {
    return Optional.of(Function.of(name, body));
  }

  private Optional<Value> dictMethod(Dict dict, String name) {
    if (DICT_CHANGES.contains(name)) {
      return Optional.of(Subscripts.unsafe(dict, name));
    }
    return switch (name) {
      case "items" ->
          method(
              name,
              args -> {
                args.none(name);
                meter.each(dict.entries().size());
                return dict.pairs();
              });
      case "keys" ->
          method(
              name,
              args -> {
                args.none(name);
                meter.each(dict.entries().size());
                return Items.of(Items.Type.KEYS, List.copyOf(dict.entries().keySet()));
              });
      case "values" ->
          method(
              name,
              args -> {
                args.none(name);
                meter.each(dict.entries().size());
                return Items.of(Items.Type.VALUES, List.copyOf(dict.entries().values()));
              });
      case "get" ->
          method(
              name,
              args -> {
                Arguments.Bound bound = args.bindUnnamed(name, "key", "default");
                meter.read(bound.get(0));
                Value found = dict.get(Values.hashable(bound.get(0)));
                return found != null ? found : bound.find(1).orElse(Value.NONE);
              });
      case "copy" ->
          method(
              name,
              args -> {
                args.none(name);
                return dict;
              });
      case "fromkeys" -> throw unsupported("dict", name);
      default -> Optional.empty();
    };
  }

  private Optional<Value> sequenceMethod(Items items, String name) {
    return switch (name) {
      case "count" ->
          method(
              name,
              args -> {
                meter.read(items);
                Value wanted = args.bindUnnamed(name, "value").get(0);
                return Values.of(items.values().stream().filter(wanted::equals).count());
              });
      case "index" ->
          method(
              name,
              args -> {
                meter.read(items);
                int at =
                    new ArrayList<>(items.values()).indexOf(args.bindUnnamed(name, "value").get(0));
                if (at < 0) {
                  throw Failure.value("the value is not in the " + items.type().python());
                }
                return Values.of(at);
              });
      case "copy" -> items.type() == Items.Type.LIST ? method(name, _ -> items) : Optional.empty();
      default -> Optional.empty();
    };
  }

  static Failure unsupported(String type, String name) {
    return Failure.unsupported("the method '%s' of %s is not supported".formatted(name, type));
  }
}
