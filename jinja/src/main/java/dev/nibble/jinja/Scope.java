package dev.nibble.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The variables that a part of a template sets; those outside are seen, but never changed. */
final class Scope {
  private final @Nullable Scope outside;
  private final Map<String, Value> variables;

  private Scope(@Nullable Scope outside, Map<String, Value> variables) {
    this.outside = outside;
    this.variables = variables;
  }

  static Scope of(Map<String, Value> variables) {
    return new Scope(null, new HashMap<>(variables));
  }

  Scope inner() {
    return new Scope(this, new HashMap<>());
  }

  void set(String name, Value value) {
    variables.put(name, value);
  }

  Value get(String name) {
    for (Scope scope = this; scope != null; scope = scope.outside) {
      Value value = scope.variables.get(name);
      if (value != null) {
        return value;
      }
    }
    return Value.Undefined.named(name);
  }
}
