package dev.nibble.jinja;

import java.util.List;
import java.util.Optional;

/** An expression of a template. */
sealed interface Expression {
  /** Where it is; for an operator, where the operator is. */
  Place place();

  record Constant(Value value, Place place) implements Expression {}

  record Name(String name, Place place) implements Expression {}

  /** {@code a.b}. */
  record Attribute(Expression of, String name, Place place) implements Expression {}

  /** {@code a[b]}. */
  record Subscript(Expression of, Expression key, Place place) implements Expression {}

  /** {@code a[from:to:step]}. */
  record Slice(
      Expression of,
      Optional<Expression> from,
      Optional<Expression> to,
      Optional<Expression> step,
      Place place)
      implements Expression {}

  record Call(Expression function, Parameters parameters, Place place) implements Expression {}

  record Filter(Expression input, String name, Parameters parameters, Place place)
      implements Expression {}

  record Test(Expression subject, String name, Parameters parameters, boolean negated, Place place)
      implements Expression {}

  record Negate(Expression operand, boolean minus, Place place) implements Expression {}

  record Not(Expression operand, Place place) implements Expression {}

  record Binary(String operator, Expression left, Expression right, Place place)
      implements Expression {}

  /** {@code a ~ b ~ c}. */
  record Concat(List<Expression> parts, Place place) implements Expression {}

  /** {@code a < b == c}: every neighbouring pair must agree. */
  record Compare(Expression first, List<Operand> rest, Place place) implements Expression {}

  record Operand(String operator, Expression value) {}

  /** {@code and}, {@code or}: gives the operand that decides. */
  record Junction(boolean and, Expression left, Expression right, Place place)
      implements Expression {}

  /** {@code a if condition else b}. */
  record Conditional(
      Expression condition, Expression then, Optional<Expression> otherwise, Place place)
      implements Expression {}

  record Sequence(Value.Items.Type type, List<Expression> items, Place place)
      implements Expression {}

  record Mapping(List<Pair> pairs, Place place) implements Expression {}

  record Pair(Expression key, Expression value) {}

  /** Arguments in a call's parentheses. */
  record Parameters(
      List<Expression> positional,
      List<Keyword> keywords,
      Optional<Expression> rest,
      Optional<Expression> restKeywords) {
    static final Parameters NONE =
        new Parameters(List.of(), List.of(), Optional.empty(), Optional.empty());

    static Parameters of(Expression only) {
      return new Parameters(List.of(only), List.of(), Optional.empty(), Optional.empty());
    }
  }

  record Keyword(String name, Expression value) {}
}
