package dev.nibble.jinja;

import java.util.List;
import java.util.Optional;

/** A statement of a template. */
sealed interface Statement {
  /** Where it starts. */
  Place place();

  record Data(String text, Place place) implements Statement {}

  record Output(Expression value, Place place) implements Statement {}

  record If(List<Branch> branches, List<Statement> otherwise, Place place) implements Statement {}

  record Branch(Expression condition, List<Statement> body) {}

  record For(
      Target target,
      Expression iterable,
      Optional<Expression> filter,
      List<Statement> body,
      List<Statement> otherwise,
      boolean recursive,
      Place place)
      implements Statement {}

  record Set(Target target, Expression value, Place place) implements Statement {}

  /** {@code {% set x | filter %}...{% endset %}}. */
  record SetBlock(Target target, List<AppliedFilter> filters, List<Statement> body, Place place)
      implements Statement {}

  record FilterBlock(List<AppliedFilter> filters, List<Statement> body, Place place)
      implements Statement {}

  record With(List<Binding> bindings, List<Statement> body, Place place) implements Statement {}

  record MacroDefinition(String name, Signature signature, Place place) implements Statement {}

  /** {@code {% call(x) macro() %}...{% endcall %}}. */
  record CallBlock(Expression.Call call, Signature caller, Place place) implements Statement {}

  /** {@code {% generation %}...{% endgeneration %}}: text of the assistant. */
  record Generation(List<Statement> body, Place place) implements Statement {}

  record Break(Place place) implements Statement {}

  record Continue(Place place) implements Statement {}

  record AppliedFilter(String name, Expression.Parameters parameters, Place place) {}

  record Binding(Target target, Expression value) {}

  /**
   * Parameters and body of a macro.
   *
   * @param defaults of the last parameters
   * @param special which of caller, varargs and kwargs the body mentions
   */
  record Signature(
      List<String> parameters,
      List<Expression> defaults,
      java.util.Set<String> special,
      List<Statement> body) {}

  /** Target of an assignment. */
  sealed interface Target {
    record Variable(String name) implements Target {}

    record Member(String namespace, String attribute, Place place) implements Target {}

    record Several(List<Target> targets, Place place) implements Target {}
  }
}
