package dev.nibble.jinja;

import dev.nibble.jinja.Expression.Parameters;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Function;
import dev.nibble.jinja.Value.Instance;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Text;
import dev.nibble.jinja.Value.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Interpreter of expressions. */
final class ExpressionEvaluator {
  private final Meter meter;
  private final Operators operators;
  private final Subscripts subscripts;
  private final Predicates tests;
  private final Filters filters;

  ExpressionEvaluator(Meter meter) {
    this.meter = meter;
    this.operators = new Operators(meter);
    this.subscripts = new Subscripts(meter, new Methods(meter));
    this.tests = new Predicates(operators);
    this.filters = new Filters(meter, operators, subscripts, tests);
  }

  Value evaluate(Expression expression, Scope scope) {
    meter.enter();
    try {
      return compute(expression, scope);
    } catch (Failure e) {
      throw e.at(expression.place());
    } finally {
      meter.leave();
    }
  }

  private Value compute(Expression expression, Scope scope) {
    return switch (expression) {
      case Expression.Constant e -> e.value();
      case Expression.Name e -> scope.get(e.name());
      case Expression.Attribute e -> subscripts.attribute(evaluate(e.of(), scope), e.name());
      case Expression.Subscript e ->
          subscripts.item(evaluate(e.of(), scope), evaluate(e.key(), scope));
      case Expression.Slice e ->
          subscripts.slice(
              evaluate(e.of(), scope),
              e.from().map(b -> evaluate(b, scope)),
              e.to().map(b -> evaluate(b, scope)),
              e.step().map(b -> evaluate(b, scope)));
      case Expression.Call e -> call(e, scope, Optional.empty());
      case Expression.Filter e ->
          filter(e.name(), evaluate(e.input(), scope), e.parameters(), scope);
      case Expression.Test e ->
          Values.of(
              tests.passes(e.name(), evaluate(e.subject(), scope), arguments(e.parameters(), scope))
                  != e.negated());
      case Expression.Negate e -> signed(evaluate(e.operand(), scope), e.minus());
      case Expression.Not e -> Values.of(!Values.truth(evaluate(e.operand(), scope)));
      case Expression.Binary e ->
          operators.binary(e.operator(), evaluate(e.left(), scope), evaluate(e.right(), scope));
      case Expression.Concat e ->
          Texts.concat(
              meter,
              e.parts().stream().map(p -> new Text(Repr.text(meter, evaluate(p, scope)))).toList());
      case Expression.Compare e -> compare(e, scope);
      case Expression.Junction e -> {
        Value left = evaluate(e.left(), scope);
        yield Values.truth(left) == e.and() ? evaluate(e.right(), scope) : left;
      }
      case Expression.Conditional e -> conditional(e, scope);
      case Expression.Sequence e ->
          Items.of(e.type(), e.items().stream().map(i -> evaluate(i, scope)).toList());
      case Expression.Mapping e -> {
        Map<Value, Value> entries = new LinkedHashMap<>();
        for (Expression.Pair pair : e.pairs()) {
          Value key = Values.hashable(evaluate(pair.key(), scope));
          meter.read(key);
          entries.put(key, evaluate(pair.value(), scope));
        }
        yield new Dict(entries);
      }
    };
  }

  private Value conditional(Expression.Conditional e, Scope scope) {
    if (Values.truth(evaluate(e.condition(), scope))) {
      return evaluate(e.then(), scope);
    }
    return e.otherwise()
        .map(otherwise -> evaluate(otherwise, scope))
        .orElseGet(() ->
            Undefined.hint(
                "the inline if-expression on line %d evaluated to false and no else section was defined."
                    .formatted(e.place().line())));
  }

  private static Value signed(Value value, boolean minus) {
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    if (!Arithmetic.isNumber(value)) {
      throw Failure.type(
          "bad operand type for unary %s: '%s'".formatted(minus ? "-" : "+", Values.type(value)));
    }
    return minus
        ? Arithmetic.negated(value)
        : Arithmetic.integer(value).<Value>map(Value.Int::new).orElse(value);
  }

  private Value compare(Expression.Compare e, Scope scope) {
    Value left = evaluate(e.first(), scope);
    for (Expression.Operand operand : e.rest()) {
      Value right = evaluate(operand.value(), scope);
      if (!operators.compare(operand.operator(), left, right)) {
        return Value.FALSE;
      }
      left = right;
    }
    return Value.TRUE;
  }

  Value filter(String name, Value input, Parameters parameters, Scope scope) {
    return filters.apply(name, input, arguments(parameters, scope));
  }

  /** Calls, with a caller for the macro where a call block gives one. */
  Value call(Expression.Call e, Scope scope, Optional<Function> caller) {
    Value function = evaluate(e.function(), scope);
    Arguments arguments = arguments(e.parameters(), scope);
    if (caller.isPresent()) {
      Map<String, Value> keywords = new LinkedHashMap<>(arguments.keywords());
      keywords.put("caller", caller.get());
      arguments = new Arguments(arguments.positional(), keywords);
    }
    arguments.positional().forEach(meter::look);
    arguments.keywords().values().forEach(meter::look);
    return switch (function) {
      case Function f -> f.call(arguments);
      case Instance i -> i.call(arguments);
      case Undefined u -> throw u.failure();
      default -> throw Failure.type("'" + Values.type(function) + "' object is not callable");
    };
  }

  private Arguments arguments(Parameters parameters, Scope scope) {
    List<Value> positional = new ArrayList<>();
    for (Expression expression : parameters.positional()) {
      positional.add(evaluate(expression, scope));
    }
    Map<String, Value> keywords = new LinkedHashMap<>();
    for (Expression.Keyword keyword : parameters.keywords()) {
      keyword(keywords, keyword.name(), evaluate(keyword.value(), scope));
    }
    parameters
        .rest()
        .ifPresent(rest -> {
          List<Value> more = Values.iterate(meter, evaluate(rest, scope));
          meter.steps(more.size());
          positional.addAll(more);
        });
    parameters
        .restKeywords()
        .ifPresent(rest -> {
          if (!(evaluate(rest, scope) instanceof Dict dict)) {
            throw Failure.type("the argument after ** must be a mapping");
          }
          meter.each(dict.entries().size());
          dict.entries()
              .forEach((k, v) -> {
                if (!(k instanceof Text(String name, boolean _))) {
                  throw Failure.type("keywords must be strings");
                }
                keyword(keywords, name, v);
              });
        });
    return new Arguments(positional, keywords);
  }

  private static void keyword(Map<String, Value> keywords, String name, Value value) {
    if (keywords.put(name, value) != null) {
      throw Failure.type("got multiple values for the keyword argument '" + name + "'");
    }
  }
}
