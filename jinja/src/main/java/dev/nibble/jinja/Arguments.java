package dev.nibble.jinja;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Arguments of a call, by place and by name.
 *
 * @param positional in order
 * @param keywords by name
 */
record Arguments(List<Value> positional, Map<String, Value> keywords) {
  /** The arguments of the parameters of {@code function}, all of them optional. */
  Bound bind(String function, String... parameters) {
    if (positional.size() > parameters.length) {
      throw Failure.type(
          "%s takes at most %d arguments, got %d"
              .formatted(function, parameters.length, positional.size()));
    }
    @Nullable Value[] values = new @Nullable Value[parameters.length];
    for (int i = 0; i < positional.size(); i++) {
      values[i] = positional.get(i);
    }
    keywords.forEach((name, value) -> {
      int at = Arrays.asList(parameters).indexOf(name);
      if (at < 0) {
        throw Failure.type("%s takes no argument '%s'".formatted(function, name));
      }
      if (values[at] != null) {
        throw Failure.type("%s got its argument '%s' twice".formatted(function, name));
      }
      values[at] = value;
    });
    return new Bound(function, parameters, values);
  }

  /** The same for a function of Python whose parameters have no names. */
  Bound bindUnnamed(String function, String... parameters) {
    if (!keywords.isEmpty()) {
      throw Failure.type(function + " takes no keyword arguments");
    }
    return bind(function, parameters);
  }

  /** A call that takes nothing. */
  void none(String function) {
    bind(function);
  }

  /** Arguments by the place of their parameter. */
  @SuppressWarnings("ArrayRecordComponent") // lives within one call
  record Bound(String function, String[] parameters, @Nullable Value[] values) {
    Optional<Value> find(int at) {
      return Optional.ofNullable(values[at]);
    }

    /** The argument; None counts as absent. */
    Optional<Value> given(int at) {
      return find(at).filter(v -> !(v instanceof Value.None));
    }

    Value get(int at) {
      return find(at)
          .orElseThrow(
              () -> Failure.type("%s needs its argument '%s'".formatted(function, parameters[at])));
    }

    boolean flag(int at, boolean otherwise) {
      return find(at).map(Values::truth).orElse(otherwise);
    }

    int whole(int at, int otherwise) {
      return find(at).map(v -> Subscripts.index(v, function)).orElse(otherwise);
    }

    String text(int at) {
      return Texts.plain(get(at), function);
    }

    String text(int at, String otherwise) {
      return find(at).map(v -> Texts.plain(v, function)).orElse(otherwise);
    }
  }
}
