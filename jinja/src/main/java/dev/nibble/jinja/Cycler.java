package dev.nibble.jinja;

import dev.nibble.jinja.Value.Function;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Object that {@code cycler(...)} returns: it goes through its values again and again. */
final class Cycler implements Value.Instance {
  private final List<Value> items;
  private int at;

  Cycler(List<Value> items) {
    if (items.isEmpty()) {
      throw Failure.value("at least one item has to be provided");
    }
    this.items = items;
  }

  @Override
  public @Nullable Value attribute(String name) {
    return switch (name) {
      case "current" -> items.get(at);
      case "next" ->
          Function.of(
              name,
              args -> {
                args.none(name);
                Value current = items.get(at);
                at = (at + 1) % items.size();
                return current;
              });
      case "reset" ->
          Function.of(
              name,
              args -> {
                args.none(name);
                at = 0;
                return NONE;
              });
      default -> null;
    };
  }

  @Override
  public Value call(Arguments arguments) {
    throw Failure.type("'Cycler' object is not callable");
  }

  @Override
  public String pythonType() {
    return "Cycler";
  }

  @Override
  public String repr() {
    throw Failure.unsupported("a cycler cannot be printed (Python prints its address)");
  }
}
