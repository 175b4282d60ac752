package dev.nibble.jinja;

import dev.nibble.jinja.Value.Function;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Undefined;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Object {@code loop} inside a for loop. */
final class Loop implements Value.Instance {
  private final Meter meter;
  private final List<Value> items;
  private final int depth;
  private final Optional<Function.Body> recursion;
  private int index = -1;
  private @Nullable Value lastChanged;

  /**
   * @param items all that the loop goes over
   * @param depth how many recursive loops are around it
   * @param recursion what calling it does, in a recursive loop
   */
  Loop(Meter meter, List<Value> items, int depth, Optional<Function.Body> recursion) {
    this.meter = meter;
    this.items = items;
    this.depth = depth;
    this.recursion = recursion;
  }

  Value next() {
    return items.get(++index);
  }

  int length() {
    return items.size();
  }

  @Override
  public @Nullable Value attribute(String name) {
    return switch (name) {
      case "index" -> Values.of(index + 1);
      case "index0" -> Values.of(index);
      case "revindex" -> Values.of(items.size() - index);
      case "revindex0" -> Values.of(items.size() - index - 1);
      case "first" -> Values.of(index == 0);
      case "last" -> Values.of(index == items.size() - 1);
      case "length" -> Values.of(items.size());
      case "depth" -> Values.of(depth + 1);
      case "depth0" -> Values.of(depth);
      case "previtem" ->
          index > 0 ? items.get(index - 1) : Undefined.hint("there is no previous item");
      case "nextitem" ->
          index + 1 < items.size() ? items.get(index + 1) : Undefined.hint("there is no next item");
      case "cycle" -> Function.of("cycle", this::cycle);
      case "changed" -> Function.of("changed", this::changed);
      default -> null;
    };
  }

  private Value cycle(Arguments args) {
    if (args.positional().isEmpty()) {
      throw Failure.type("no items for cycling given");
    }
    return args.positional().get(index % args.positional().size());
  }

  private Value changed(Arguments args) {
    Value now = Items.of(Items.Type.TUPLE, args.positional());
    meter.read(now);
    boolean changed = !now.equals(lastChanged);
    lastChanged = now;
    return Values.of(changed);
  }

  @Override
  public Value call(Arguments arguments) {
    return recursion
        .orElseThrow(() ->
            Failure.type("The loop must have the 'recursive' marker to be called recursively."))
        .call(arguments);
  }

  @Override
  public String pythonType() {
    return "LoopContext";
  }

  @Override
  public String repr() {
    return "<LoopContext %d/%d>".formatted(index + 1, items.size());
  }
}
