package dev.nibble.jinja;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Jinja's filters: {@code x | trim}. */
final class Filters {
  /** Code of a filter. */
  @FunctionalInterface
  interface Body {
    Value apply(Filters filters, Value value, Arguments args);
  }

  private static final Map<String, Body> ALL = new TreeMap<>();

  static {
    TextFilters.addTo(ALL);
    NumberFilters.addTo(ALL);
    SequenceFilters.addTo(ALL);
  }

  /** The filters there are. */
  static final Set<String> NAMES = ALL.keySet();

  private final Meter meter;
  private final Operators operators;
  private final Subscripts subscripts;
  private final Predicates tests;

  Filters(Meter meter, Operators operators, Subscripts subscripts, Predicates tests) {
    this.meter = meter;
    this.operators = operators;
    this.subscripts = subscripts;
    this.tests = tests;
  }

  Value apply(String name, Value value, Arguments args) {
    Body body = ALL.get(name);
    if (body == null) {
      throw Failure.unsupported("there is no filter '" + name + "'; known are " + NAMES);
    }
    meter.look(value);
    return body.apply(this, value, args);
  }

  Meter meter() {
    return meter;
  }

  Operators operators() {
    return operators;
  }

  Subscripts subscripts() {
    return subscripts;
  }

  Predicates tests() {
    return tests;
  }
}
