package dev.nibble.jinja;

import dev.nibble.jinja.Statement.Target;
import dev.nibble.jinja.Value.Function;
import dev.nibble.jinja.Value.Namespace;
import dev.nibble.jinja.Value.Text;
import dev.nibble.jinja.Value.Undefined;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Interpreter of the statements of one rendering.
 *
 * <p>Loops, macros, calls, captured blocks and {@code with} have variables of their own; {@code if}
 * has not. What is set inside is not seen outside, except in a namespace.
 */
final class Evaluator {
  /** Ways in which a list of statements can end. */
  private enum End {
    NORMAL,
    BREAK,
    CONTINUE
  }

  private final Meter meter;
  private final ExpressionEvaluator expressions;
  private final Output root;
  private final List<Span> generated = new ArrayList<>();

  Evaluator(Limits limits) {
    this.meter = new Meter(limits);
    this.expressions = new ExpressionEvaluator(meter);
    this.root = new Output(meter);
  }

  Rendering render(List<Statement> statements, LocalDateTime now, Map<String, Value> variables) {
    Map<String, Value> all = new HashMap<>(Globals.at(now, meter));
    all.putAll(variables);
    run(statements, Scope.of(all), root);
    return new Rendering(root.text(), generated);
  }

  private End run(List<Statement> statements, Scope scope, Output out) {
    for (Statement statement : statements) {
      meter.enter();
      try {
        End end = run(statement, scope, out);
        if (end != End.NORMAL) {
          return end;
        }
      } catch (Failure e) {
        throw e.at(statement.place());
      } finally {
        meter.leave();
      }
    }
    return End.NORMAL;
  }

  private End run(Statement statement, Scope scope, Output out) {
    switch (statement) {
      case Statement.Data s -> out.add(s.text());
      case Statement.Output s -> out.add(Repr.text(meter, expressions.evaluate(s.value(), scope)));
      case Statement.If s -> {
        return choose(s, scope, out);
      }
      case Statement.For s -> loop(s, expressions.evaluate(s.iterable(), scope), scope, out, 0);
      case Statement.Set s -> assign(s.target(), expressions.evaluate(s.value(), scope), scope);
      case Statement.SetBlock s ->
          assign(s.target(), filtered(s.filters(), s.body(), scope), scope);
      case Statement.FilterBlock s ->
          out.add(Repr.text(meter, filtered(s.filters(), s.body(), scope)));
      case Statement.With s -> {
        return with(s, scope, out);
      }
      case Statement.MacroDefinition s ->
          scope.set(s.name(), macro(s.name(), s.signature(), scope));
      case Statement.CallBlock s ->
          out.add(
              Repr.text(
                  meter,
                  expressions.call(
                      s.call(), scope, Optional.of(macro("caller", s.caller(), scope)))));
      case Statement.Generation s -> {
        String text = captured(s.body(), scope);
        int start = root.points();
        generated.add(new Span(start, start + text.codePointCount(0, text.length())));
        out.add(text);
      }
      case Statement.Break _ -> {
        return End.BREAK;
      }
      case Statement.Continue _ -> {
        return End.CONTINUE;
      }
    }
    return End.NORMAL;
  }

  private End choose(Statement.If statement, Scope scope, Output out) {
    for (Statement.Branch branch : statement.branches()) {
      if (Values.truth(expressions.evaluate(branch.condition(), scope))) {
        return run(branch.body(), scope, out);
      }
    }
    return run(statement.otherwise(), scope, out);
  }

  private void loop(Statement.For s, Value iterable, Scope scope, Output out, int depth) {
    meter.look(iterable);
    List<Value> items = Values.iterate(meter, iterable);
    if (s.filter().isPresent()) {
      List<Value> chosen = new ArrayList<>();
      for (Value item : items) {
        Scope inner = scope.inner();
        assign(s.target(), item, inner);
        if (Values.truth(expressions.evaluate(s.filter().get(), inner))) {
          chosen.add(item);
        }
      }
      items = chosen;
    }
    Optional<Function.Body> recursion =
        s.recursive() ? Optional.of(args -> again(s, args, scope, depth)) : Optional.empty();
    Loop loop = new Loop(meter, items, depth, recursion);
    boolean completed = false;
    End end = End.NORMAL;
    for (int i = 0; i < items.size() && end != End.BREAK; i++) {
      meter.step();
      Scope inner = scope.inner();
      inner.set("loop", loop);
      assign(s.target(), loop.next(), inner);
      end = run(s.body(), inner, out);
      completed |= end == End.NORMAL;
    }
    // In Jinja2 an iteration that break or continue ends does not count.
    if (!completed) {
      run(s.otherwise(), scope.inner(), out);
    }
  }

  private Value again(Statement.For s, Arguments args, Scope scope, int depth) {
    Output inner = new Output(meter);
    loop(s, args.bind("loop", "iterable").get(0), scope, inner, depth + 1);
    return new Text(inner.text());
  }

  private End with(Statement.With statement, Scope scope, Output out) {
    Scope inner = scope.inner();
    for (Statement.Binding binding : statement.bindings()) {
      assign(binding.target(), expressions.evaluate(binding.value(), scope), inner);
    }
    return run(statement.body(), inner, out);
  }

  private String captured(List<Statement> body, Scope scope) {
    Output inner = new Output(meter);
    run(body, scope.inner(), inner);
    return inner.text();
  }

  private Value filtered(List<Statement.AppliedFilter> filters, List<Statement> body, Scope scope) {
    Value value = new Text(captured(body, scope));
    for (Statement.AppliedFilter filter : filters) {
      value = expressions.filter(filter.name(), value, filter.parameters(), scope);
    }
    return value;
  }

  private void assign(Target target, Value value, Scope scope) {
    switch (target) {
      case Target.Variable(String name) -> scope.set(name, value);
      case Target.Member member -> {
        if (!(scope.get(member.namespace()) instanceof Namespace namespace)) {
          throw Failure.value("cannot assign attribute on non-namespace object").at(member.place());
        }
        namespace.attributes().put(member.attribute(), value);
      }
      case Target.Several several -> {
        List<Value> values = Values.iterate(meter, value);
        if (values.size() != several.targets().size()) {
          throw Failure.value(
                  "cannot unpack %d values into %d names"
                      .formatted(values.size(), several.targets().size()))
              .at(several.place());
        }
        for (int i = 0; i < values.size(); i++) {
          assign(several.targets().get(i), values.get(i), scope);
        }
      }
    }
  }

  private Function macro(String name, Statement.Signature signature, Scope scope) {
    String repr =
        name.equals("caller") ? "<Macro 'caller'>" : "<Macro " + Repr.shown(new Text(name)) + ">";
    return new Function(name, repr, args -> new Text(invoke(name, signature, args, scope.inner())));
  }

  private String invoke(String name, Statement.Signature signature, Arguments args, Scope scope) {
    meter.enter();
    bind(name, signature, args, scope);
    Output out = new Output(meter);
    run(signature.body(), scope, out);
    meter.leave();
    return out.text();
  }

  private void bind(String name, Statement.Signature signature, Arguments args, Scope scope) {
    List<String> parameters = signature.parameters();
    Map<String, Value> keywords = new LinkedHashMap<>(args.keywords());
    int given = Math.min(args.positional().size(), parameters.size());
    int withDefault = parameters.size() - signature.defaults().size();
    for (int i = 0; i < parameters.size(); i++) {
      String parameter = parameters.get(i);
      Value value = i < given ? args.positional().get(i) : keywords.remove(parameter);
      if (value == null) {
        value =
            i < withDefault
                ? Undefined.hint(
                    "parameter " + Repr.shown(new Text(parameter)) + " was not provided")
                : expressions.evaluate(signature.defaults().get(i - withDefault), scope);
      }
      scope.set(parameter, value);
    }
    if (signature.special().contains("caller")) {
      Value caller = keywords.remove("caller");
      scope.set("caller", caller == null ? Undefined.hint("No caller defined") : caller);
    }
    if (signature.special().contains("kwargs")) {
      scope.set("kwargs", Values.of(keywords));
    } else if (!keywords.isEmpty()) {
      throw Failure.type(
          "macro '%s' takes no keyword argument '%s'"
              .formatted(name, keywords.keySet().iterator().next()));
    }
    List<Value> rest = args.positional().subList(given, args.positional().size());
    if (signature.special().contains("varargs")) {
      scope.set("varargs", Globals.tuple(rest));
    } else if (!rest.isEmpty()) {
      throw Failure.type(
          "macro '%s' takes not more than %d argument(s)".formatted(name, parameters.size()));
    }
  }
}
