package dev.nibble.jinja;

import dev.nibble.jinja.JinjaException.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a template computes with: the values of Python that templates know. {@code equals} is
 * Python's {@code ==}, so that 1, 1.0 and True are one dictionary key. Nothing else can be reached
 * from a template.
 */
public sealed interface Value {
  /** None. */
  Value NONE = new None();

  /** True. */
  Value TRUE = new Bool(true);

  /** False. */
  Value FALSE = new Bool(false);

  /** What nothing is: a variable that is not set, a key that is not there. */
  record Undefined(Kind kind, String message) implements Value {
    static Undefined named(String name) {
      return hint(Repr.of(new Text(name)) + " is undefined");
    }

    static Undefined hint(String message) {
      return new Undefined(Kind.UNDEFINED, message);
    }

    Failure failure() {
      return Failure.of(kind, message);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Undefined;
    }

    @Override
    public int hashCode() {
      return 1;
    }
  }

  /** None. */
  record None() implements Value {}

  /** True or False. */
  record Bool(boolean truth) implements Value {
    @Override
    public boolean equals(@Nullable Object other) {
      return Arithmetic.equal(this, other);
    }

    @Override
    public int hashCode() {
      return Double.hashCode(truth ? 1 : 0);
    }
  }

  /** An int of any size. */
  record Int(BigInteger number) implements Value {
    @Override
    public boolean equals(@Nullable Object other) {
      return Arithmetic.equal(this, other);
    }

    @Override
    public int hashCode() {
      return Double.hashCode(number.doubleValue());
    }
  }

  /** A float. */
  record Real(double number) implements Value {
    @Override
    public boolean equals(@Nullable Object other) {
      return Arithmetic.equal(this, other);
    }

    @Override
    public int hashCode() {
      return Double.hashCode(number + 0.0); // -0.0 == 0
    }
  }

  /**
   * A str. Its length and places count code points.
   *
   * @param html whether it is marked as safe HTML, so that text joined to it is escaped
   */
  record Text(String text, boolean html) implements Value {
    /** Plain text. */
    public Text(String text) {
      this(text, false);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Text t && t.text.equals(text);
    }

    @Override
    public int hashCode() {
      return text.hashCode();
    }
  }

  /** A list, a tuple, or a view of a dictionary. */
  final class Items implements Value {
    /** Which of them. */
    enum Type {
      LIST("list"),
      TUPLE("tuple"),
      KEYS("dict_keys"),
      VALUES("dict_values"),
      PAIRS("dict_items");

      private final String python;

      Type(String python) {
        this.python = python;
      }

      String python() {
        return python;
      }
    }

    private final Type type;
    private final List<Value> values;
    private final Shape shape;

    private Items(Type type, List<Value> values) {
      this.type = type;
      this.values = values;
      this.shape = Shape.of(values);
    }

    static Items of(Type type, List<Value> values) {
      return new Items(type, List.copyOf(values));
    }

    static Items list(List<Value> values) {
      return of(Type.LIST, values);
    }

    static Items tuple(Value... values) {
      return of(Type.TUPLE, List.of(values));
    }

    Type type() {
      return type;
    }

    List<Value> values() {
      return values;
    }

    Shape shape() {
      return shape;
    }

    boolean isIndexed() {
      return type == Type.LIST || type == Type.TUPLE;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Items i && i.type == type && i.values.equals(values);
    }

    @Override
    public int hashCode() {
      return values.hashCode();
    }
  }

  /** A dict, in the order in which keys were first given. */
  final class Dict implements Value {
    private final Map<Value, Value> entries;
    private final Shape shape;

    /** Copies the entries. */
    public Dict(Map<? extends Value, ? extends Value> entries) {
      this.entries = new LinkedHashMap<>(entries);
      this.shape = Shape.of(this.entries.keySet()).and(Shape.of(this.entries.values()));
    }

    /** The value of a key, or null. */
    public @Nullable Value get(Value key) {
      return entries.get(key);
    }

    /** The value of a text key, or null. */
    public @Nullable Value get(String key) {
      return entries.get(new Text(key));
    }

    /** A copy with one more entry, or another value. */
    public Dict with(String key, Value value) {
      Map<Value, Value> changed = new LinkedHashMap<>(entries);
      changed.put(new Text(key), value);
      return new Dict(changed);
    }

    Map<Value, Value> entries() {
      return entries;
    }

    Items pairs() {
      List<Value> pairs = new ArrayList<>(entries.size());
      entries.forEach((k, v) -> pairs.add(Items.tuple(k, v)));
      return Items.of(Items.Type.PAIRS, pairs);
    }

    Shape shape() {
      return shape;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Dict d && d.entries.equals(entries);
    }

    @Override
    public int hashCode() {
      return entries.hashCode();
    }
  }

  /** A range. */
  record Range(int start, int stop, int step) implements Value {
    int size() {
      long span = step > 0 ? (long) stop - start : (long) start - stop;
      return span <= 0 ? 0 : (int) ((span - 1) / Math.abs((long) step) + 1);
    }

    Value at(int index) {
      return Values.of(start + (long) index * step);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Range r && Values.iterate(r).equals(Values.iterate(this));
    }

    @Override
    public int hashCode() {
      return size();
    }
  }

  /** Values that come one by one and only once, as filters such as {@code select} give them. */
  record Generator(Iterator<Value> rest) implements Value {
    @Override
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  /** The one thing that a template can change. */
  final class Namespace implements Value {
    private final Map<String, Value> attributes = new LinkedHashMap<>();

    Map<String, Value> attributes() {
      return attributes;
    }
  }

  /** Something that can be called. */
  final class Function implements Value {
    /** What a call does. */
    @FunctionalInterface
    interface Body {
      Value call(Arguments arguments);
    }

    private final String name;
    private final String repr;
    private final Body body;

    /**
     * @param repr how Python prints it; empty where it would print an address
     */
    Function(String name, String repr, Body body) {
      this.name = name;
      this.repr = repr;
      this.body = body;
    }

    static Function of(String name, Body body) {
      return new Function(name, "", body);
    }

    String name() {
      return name;
    }

    String repr() {
      return repr;
    }

    Value call(Arguments arguments) {
      return body.call(arguments);
    }
  }

  /** An object with attributes that are computed: {@code loop}, a cycler. */
  sealed interface Instance extends Value permits Loop, Cycler {
    String pythonType();

    String repr();

    /** The attribute, or null. */
    @Nullable Value attribute(String name);

    /** What calling it gives. */
    Value call(Arguments arguments);
  }
}
