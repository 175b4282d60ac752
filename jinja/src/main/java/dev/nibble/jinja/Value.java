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
 * A value of Python, of the types that templates can compute with. {@code equals} is Python's
 * {@code ==}, so that 1, 1.0 and True are one dictionary key. A template can reach nothing else: no
 * object of Java, no file, no network.
 *
 * <p>{@link Values#of} makes values of plain Java data.
 */
public sealed interface Value {
  /** None. */
  Value NONE = new None();

  /** True. */
  Value TRUE = new Bool(true);

  /** False. */
  Value FALSE = new Bool(false);

  /**
   * The value of a variable that is not set or a key that is not there, as Jinja2's {@code
   * Undefined}: it prints as nothing, and most other uses of it are errors.
   *
   * @param kind the kind of that error
   * @param message its message
   */
  record Undefined(Kind kind, String message) implements Value {
    /** A variable that is not set. */
    static Undefined named(String name) {
      return hint(Repr.shown(new Text(name)) + " is undefined");
    }

    /** With a message of its own. */
    static Undefined hint(String message) {
      return new Undefined(Kind.UNDEFINED, message);
    }

    /** The error of using it. */
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

  /** Python's {@code None}. */
  record None() implements Value {}

  /**
   * A bool.
   *
   * @param truth whether it is True
   */
  record Bool(boolean truth) implements Value {
    @Override
    public boolean equals(@Nullable Object other) {
      return Arithmetic.equal(this, other);
    }

    @Override
    public int hashCode() {
      return Arithmetic.hash(truth ? 1.0 : 0.0);
    }
  }

  /**
   * An int.
   *
   * @param number its value, of any size
   */
  record Int(BigInteger number) implements Value {
    @Override
    public boolean equals(@Nullable Object other) {
      return Arithmetic.equal(this, other);
    }

    @Override
    public int hashCode() {
      return Arithmetic.hash(number);
    }
  }

  /**
   * A float.
   *
   * @param number its value, which may be NaN or infinite
   */
  record Real(double number) implements Value {
    @Override
    public boolean equals(@Nullable Object other) {
      return Arithmetic.equal(this, other);
    }

    @Override
    public int hashCode() {
      return Arithmetic.hash(number);
    }
  }

  /**
   * A str. Its length and the places in it count code points.
   *
   * @param text its value
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
      return Hashing.of(text);
    }
  }

  /** A list, a tuple, or a view of a dictionary. */
  final class Items implements Value {
    /** Python's types of sequences and views. */
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

      /** The name of the type in Python. */
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

    /** Items of this type; copies the list. */
    static Items of(Type type, List<Value> values) {
      return new Items(type, List.copyOf(values));
    }

    /** A list; copies the Java list. */
    static Items list(List<Value> values) {
      return of(Type.LIST, values);
    }

    /** A tuple. */
    static Items tuple(Value... values) {
      return of(Type.TUPLE, List.of(values));
    }

    /** Its type in Python. */
    Type type() {
      return type;
    }

    /** The items, in order; cannot be changed. */
    List<Value> values() {
      return values;
    }

    /** Depth and size of what it holds, for limits. */
    Shape shape() {
      return shape;
    }

    /** Whether items can be taken by number. */
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

  /** A dict, in the order in which keys were first added. Immutable. */
  final class Dict implements Value {
    private final Map<Value, Value> entries;
    private final Shape shape;

    /** A dict of these entries, which are copied. */
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

    /** A copy without the entry of a text key. */
    public Dict without(String key) {
      Map<Value, Value> changed = new LinkedHashMap<>(entries);
      changed.remove(new Text(key));
      return new Dict(changed);
    }

    /** The entries, in order. */
    Map<Value, Value> entries() {
      return entries;
    }

    /** The view that {@code items()} gives: a tuple of key and value for each entry. */
    Items pairs() {
      List<Value> pairs = new ArrayList<>(entries.size());
      entries.forEach((k, v) -> pairs.add(Items.tuple(k, v)));
      return Items.of(Items.Type.PAIRS, pairs);
    }

    /** Depth and size of what it holds, for limits. */
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

  /**
   * A range.
   *
   * @param start its first number
   * @param stop the number before which it ends
   * @param step difference of neighbours, not 0
   */
  record Range(int start, int stop, int step) implements Value {
    /** The count of its numbers. */
    int size() {
      long span = step > 0 ? (long) stop - start : (long) start - stop;
      return span <= 0 ? 0 : (int) ((span - 1) / Math.abs((long) step) + 1);
    }

    /** The number at a place, counted from 0. */
    Value at(int index) {
      return Values.of(start + (long) index * step);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Range r
          && r.size() == size()
          && (size() == 0 || r.start == start)
          && (size() <= 1 || r.step == step);
    }

    @Override
    public int hashCode() {
      return size();
    }
  }

  /**
   * A generator: values that come one by one and only once, as filters such as {@code select} give
   * them.
   *
   * @param rest the values that have not been taken yet
   */
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

  /** Jinja's {@code namespace}: the only value that a template can change. */
  final class Namespace implements Value {
    private final Map<String, Value> attributes = new LinkedHashMap<>();

    /** The attributes by name, to read and to change. */
    Map<String, Value> attributes() {
      return attributes;
    }
  }

  /** A callable: a function, a macro, or a method of a value. */
  final class Function implements Value {
    /** The code of a function. */
    @FunctionalInterface
    interface Body {
      /** Runs it; a wrong call is a {@link Failure}. */
      Value call(Arguments arguments);
    }

    private final String name;
    private final String repr;
    private final Body body;

    /**
     * A function.
     *
     * @param name for messages
     * @param repr the text that Python prints for it; empty where it would print an address
     * @param body its code
     */
    Function(String name, String repr, Body body) {
      this.name = name;
      this.repr = repr;
      this.body = body;
    }

    /** A function that Python prints with an address. */
    static Function of(String name, Body body) {
      return new Function(name, "", body);
    }

    /** Its name, for messages. */
    String name() {
      return name;
    }

    /** The text that Python prints for it; empty where it would print an address. */
    String repr() {
      return repr;
    }

    /** The result of a call. */
    Value call(Arguments arguments) {
      return body.call(arguments);
    }
  }

  /** An object with computed attributes: {@code loop} or a cycler. */
  sealed interface Instance extends Value permits Loop, Cycler {
    /** The name of its class in Python. */
    String pythonType();

    /** The text that Python prints for it. */
    String repr();

    /** The attribute, or null. */
    @Nullable Value attribute(String name);

    /** The result of calling it. */
    Value call(Arguments arguments);
  }
}
