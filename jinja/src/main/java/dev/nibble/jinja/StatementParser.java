package dev.nibble.jinja;

import dev.nibble.jinja.Statement.AppliedFilter;
import dev.nibble.jinja.Statement.Signature;
import dev.nibble.jinja.Statement.Target;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Parser of templates. */
final class StatementParser {
  private static final List<String> KNOWN =
      List.of(
          "if",
          "for",
          "set",
          "macro",
          "call",
          "filter",
          "with",
          "break",
          "continue",
          "generation",
          "raw",
          "print");
  private static final Set<String> RESERVED =
      Set.of("true", "false", "none", "True", "False", "None");
  private static final Set<String> SPECIAL = Set.of("caller", "varargs", "kwargs");

  private final TokenStream tokens;
  private final ExpressionParser expressions;
  private int loops;
  private boolean marksGeneration;

  private StatementParser(TokenStream tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens);
  }

  /**
   * A whole template.
   *
   * @param statements in order
   * @param marksGeneration whether a {@code {% generation %}} is among them, however deep
   */
  record Result(List<Statement> statements, boolean marksGeneration) {}

  static Result parse(String source) {
    StatementParser parser = new StatementParser(new TokenStream(Lexer.tokens(source)));
    List<Statement> statements = parser.body(Set.of());
    return new Result(statements, parser.marksGeneration);
  }

  /** Statements up to a tag with one of these names, which stays current; or up to the end. */
  private List<Statement> body(Set<String> ends) {
    tokens.enter();
    Place start = tokens.current().place();
    List<Statement> body = new ArrayList<>();
    while (true) {
      Token token = tokens.next();
      switch (token.type()) {
        case DATA -> body.add(new Statement.Data(token.text(), token.place()));
        case VARIABLE_BEGIN -> {
          body.add(new Statement.Output(expressions.expressionOrTuple(), token.place()));
          tokens.expect(TokenType.VARIABLE_END, "'}}'");
        }
        case BLOCK_BEGIN -> {
          if (tokens.current().type() == TokenType.NAME && ends.contains(tokens.current().text())) {
            tokens.leave();
            return List.copyOf(body);
          }
          body.add(statement());
          tokens.expect(TokenType.BLOCK_END, "'%}'");
        }
        default -> {
          if (!ends.isEmpty()) {
            throw Failure.syntax(
                "the block that starts here has no end; expected one of " + sorted(ends), start);
          }
          tokens.leave();
          return List.copyOf(body);
        }
      }
    }
  }

  private static List<String> sorted(Set<String> names) {
    return names.stream().sorted().toList();
  }

  private Statement statement() {
    Token tag = tokens.expect(TokenType.NAME, "the name of a statement");
    Place place = tag.place();
    return switch (tag.text()) {
      case "if" -> conditional(place);
      case "for" -> loop(place);
      case "set" -> assignment(place);
      case "macro" -> macro(place);
      case "call" -> callBlock(place);
      case "filter" -> filterBlock(place);
      case "with" -> with(place);
      case "generation" -> {
        marksGeneration = true;
        yield new Statement.Generation(separate("endgeneration"), place);
      }
      case "print" -> new Statement.Output(printed(place), place);
      case "break" -> {
        insideLoop(tag);
        yield new Statement.Break(place);
      }
      case "continue" -> {
        insideLoop(tag);
        yield new Statement.Continue(place);
      }
      default -> throw unknown(tag);
    };
  }

  private Expression printed(Place place) {
    List<Expression> parts = new ArrayList<>(List.of(expressions.expression()));
    while (tokens.skipOperator(",")) {
      parts.add(expressions.expression());
    }
    return new Expression.Concat(List.copyOf(parts), place);
  }

  private static Failure unknown(Token tag) {
    return switch (tag.text()) {
      case "block", "extends", "include", "import", "from", "autoescape", "do", "trans", "debug" ->
          Failure.unsupported(
                  "the statement '%s' is not supported in chat templates; known are %s"
                      .formatted(tag.text(), KNOWN))
              .at(tag.place());
      default ->
          Failure.syntax(
              "unknown statement '%s'; known are %s".formatted(tag.text(), KNOWN), tag.place());
    };
  }

  private void insideLoop(Token tag) {
    if (loops == 0) {
      throw Failure.syntax("'" + tag.text() + "' outside of a loop", tag.place());
    }
  }

  /** The body of the current tag and its end tag. */
  private List<Statement> block(String end) {
    tokens.expect(TokenType.BLOCK_END, "'%}'");
    List<Statement> body = body(Set.of(end));
    tokens.next();
    return body;
  }

  /** The same for a body that runs as a function of its own: no loop outside can be left. */
  private List<Statement> separate(String end) {
    int outside = loops;
    loops = 0;
    List<Statement> body = block(end);
    loops = outside;
    return body;
  }

  private Statement conditional(Place place) {
    List<Statement.Branch> branches = new ArrayList<>();
    Token end;
    do {
      Expression condition = expressions.iterable();
      tokens.expect(TokenType.BLOCK_END, "'%}'");
      branches.add(new Statement.Branch(condition, body(Set.of("elif", "else", "endif"))));
      end = tokens.next();
    } while (end.isName("elif"));
    List<Statement> otherwise = end.isName("else") ? block("endif") : List.of();
    return new Statement.If(List.copyOf(branches), otherwise, place);
  }

  private Statement loop(Place place) {
    Target target = target(false);
    tokens.expectName("in");
    Expression iterable = expressions.iterable();
    Optional<Expression> filter =
        tokens.skipName("if") ? Optional.of(expressions.expression()) : Optional.empty();
    boolean recursive = tokens.skipName("recursive");
    tokens.expect(TokenType.BLOCK_END, "'%}'");
    loops++;
    List<Statement> body = body(Set.of("else", "endfor"));
    loops--;
    List<Statement> otherwise = tokens.next().isName("else") ? block("endfor") : List.of();
    return new Statement.For(target, iterable, filter, body, otherwise, recursive, place);
  }

  private Statement assignment(Place place) {
    Target target = target(true);
    if (tokens.skipOperator("=")) {
      return new Statement.Set(target, expressions.expressionOrTuple(), place);
    }
    return new Statement.SetBlock(target, filters(), separate("endset"), place);
  }

  private Statement filterBlock(Place place) {
    List<AppliedFilter> filters = new ArrayList<>(List.of(expressions.filter()));
    filters.addAll(filters());
    return new Statement.FilterBlock(List.copyOf(filters), separate("endfilter"), place);
  }

  private List<AppliedFilter> filters() {
    List<AppliedFilter> filters = new ArrayList<>();
    while (tokens.skipOperator("|")) {
      filters.add(expressions.filter());
    }
    return List.copyOf(filters);
  }

  private Statement with(Place place) {
    List<Statement.Binding> bindings = new ArrayList<>();
    while (tokens.current().type() != TokenType.BLOCK_END) {
      if (!bindings.isEmpty()) {
        tokens.expectOperator(",");
      }
      Target target = target(false);
      tokens.expectOperator("=");
      bindings.add(new Statement.Binding(target, expressions.expression()));
    }
    return new Statement.With(List.copyOf(bindings), block("endwith"), place);
  }

  private Statement macro(Place place) {
    String name = assignable(tokens.expect(TokenType.NAME, "the name of the macro"));
    if (!tokens.isOperator("(")) {
      throw tokens.unexpected("'('");
    }
    return new Statement.MacroDefinition(name, signature("endmacro"), place);
  }

  private Statement callBlock(Place place) {
    Parameters parameters = tokens.isOperator("(") ? parameters() : Parameters.NONE;
    if (!(expressions.expression() instanceof Expression.Call call)) {
      throw Failure.syntax("expected a call after 'call'", place);
    }
    return new Statement.CallBlock(call, signature(parameters, "endcall"), place);
  }

  /** The names in a macro's parentheses, and the defaults of the last of them. */
  private record Parameters(List<String> names, List<Expression> defaults) {
    static final Parameters NONE = new Parameters(List.of(), List.of());
  }

  private Parameters parameters() {
    tokens.expectOperator("(");
    List<String> names = new ArrayList<>();
    List<Expression> defaults = new ArrayList<>();
    while (!tokens.isOperator(")")) {
      if (!names.isEmpty()) {
        tokens.expectOperator(",");
      }
      Token name = tokens.expect(TokenType.NAME, "the name of a parameter");
      names.add(assignable(name));
      if (tokens.skipOperator("=")) {
        defaults.add(expressions.expression());
      } else if (!defaults.isEmpty()) {
        throw Failure.syntax("a parameter without default follows one with it", name.place());
      }
    }
    tokens.expectOperator(")");
    return new Parameters(List.copyOf(names), List.copyOf(defaults));
  }

  private Signature signature(String end) {
    return signature(parameters(), end);
  }

  private Signature signature(Parameters parameters, String end) {
    Set<String> before = tokens.startNames();
    List<Statement> body = separate(end);
    Set<String> special = new HashSet<>(tokens.endNames(before));
    special.retainAll(SPECIAL);
    parameters.names().forEach(special::remove);
    return new Signature(parameters.names(), parameters.defaults(), Set.copyOf(special), body);
  }

  /** What is assigned to: a name, a namespace's attribute, or several with commas. */
  private Target target(boolean withMembers) {
    Place place = tokens.current().place();
    Target first = singleTarget(withMembers);
    if (!tokens.isOperator(",")) {
      return first;
    }
    List<Target> targets = new ArrayList<>(List.of(first));
    while (tokens.skipOperator(",") && !tokens.isName("in") && !tokens.isOperator("=")) {
      targets.add(singleTarget(withMembers));
    }
    return new Target.Several(List.copyOf(targets), place);
  }

  private Target singleTarget(boolean withMembers) {
    if (tokens.skipOperator("(")) {
      tokens.enter();
      Target inner = target(withMembers);
      tokens.leave();
      tokens.expectOperator(")");
      return inner;
    }
    Token name = tokens.expect(TokenType.NAME, "a name to assign to");
    if (withMembers && tokens.skipOperator(".")) {
      tokens.mention(name.text());
      Token attribute = tokens.expect(TokenType.NAME, "the name of an attribute");
      return new Target.Member(name.text(), attribute.text(), name.place());
    }
    return new Target.Variable(assignable(name));
  }

  private static String assignable(Token name) {
    if (RESERVED.contains(name.text())) {
      throw Failure.syntax("cannot assign to '" + name.text() + "'", name.place());
    }
    return name.text();
  }
}
