package dev.nibble.jinja;

import dev.nibble.jinja.Expression.Parameters;
import dev.nibble.jinja.JinjaException.Kind;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Text;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Parser of expressions. From loose to tight: conditional, or, and, not, comparison, + and -, ~, *
 * / // and %, **, sign, filters and tests, then attributes, subscripts and calls. Unlike Python,
 * signs bind tighter than ** and ** groups from the left.
 */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final TokenStream tokens;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  /** An expression, without a tuple's commas. */
  Expression expression() {
    return conditional();
  }

  /** An expression; with commas a tuple. */
  Expression expressionOrTuple() {
    return tuple(this::conditional, false);
  }

  /** The same before an {@code if} that is not its own, as in a loop. */
  Expression iterable() {
    return tuple(this::or, false);
  }

  private Expression conditional() {
    tokens.enter();
    Expression result = or();
    while (tokens.isName("if")) {
      Place place = tokens.next().place();
      Expression condition = or();
      Optional<Expression> otherwise =
          tokens.skipName("else") ? Optional.of(conditional()) : Optional.empty();
      result = new Expression.Conditional(condition, result, otherwise, place);
    }
    tokens.leave();
    return result;
  }

  private Expression or() {
    Expression left = and();
    while (tokens.isName("or")) {
      Place place = tokens.next().place();
      left = new Expression.Junction(false, left, and(), place);
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.isName("and")) {
      Place place = tokens.next().place();
      left = new Expression.Junction(true, left, not(), place);
    }
    return left;
  }

  private Expression not() {
    if (!tokens.isName("not")) {
      return comparison();
    }
    Place place = tokens.next().place();
    tokens.enter();
    Expression operand = not();
    tokens.leave();
    return new Expression.Not(operand, place);
  }

  private Expression comparison() {
    Expression first = sum();
    List<Expression.Operand> rest = new ArrayList<>();
    Place place = tokens.current().place();
    while (true) {
      Token token = tokens.current();
      if (token.type() == TokenType.OPERATOR && COMPARISONS.contains(token.text())) {
        rest.add(new Expression.Operand(tokens.next().text(), sum()));
      } else if (tokens.skipName("in")) {
        rest.add(new Expression.Operand("in", sum()));
      } else if (tokens.isName("not") && tokens.ahead().isName("in")) {
        tokens.next();
        tokens.next();
        rest.add(new Expression.Operand("not in", sum()));
      } else {
        return rest.isEmpty() ? first : new Expression.Compare(first, List.copyOf(rest), place);
      }
    }
  }

  private Expression sum() {
    return leftAssociative(this::concatenation, Set.of("+", "-")::contains);
  }

  private Expression concatenation() {
    Expression first = product();
    if (!tokens.isOperator("~")) {
      return first;
    }
    Place place = tokens.current().place();
    List<Expression> parts = new ArrayList<>(List.of(first));
    while (tokens.skipOperator("~")) {
      parts.add(product());
    }
    return new Expression.Concat(List.copyOf(parts), place);
  }

  private Expression product() {
    return leftAssociative(this::power, Set.of("*", "/", "//", "%")::contains);
  }

  private Expression power() {
    return leftAssociative(() -> unary(true), "**"::equals);
  }

  private Expression leftAssociative(Supplier<Expression> operand, Predicate<String> operators) {
    Expression left = operand.get();
    while (tokens.current().type() == TokenType.OPERATOR
        && operators.test(tokens.current().text())) {
      Token operator = tokens.next();
      left = new Expression.Binary(operator.text(), left, operand.get(), operator.place());
    }
    return left;
  }

  private Expression unary(boolean withFilters) {
    Expression node;
    if (tokens.isOperator("-") || tokens.isOperator("+")) {
      Token sign = tokens.next();
      tokens.enter();
      node = new Expression.Negate(unary(false), sign.text().equals("-"), sign.place());
      tokens.leave();
    } else {
      node = primary();
    }
    node = postfix(node);
    return withFilters ? filtersAndTests(node) : node;
  }

  private Expression primary() {
    Token token = tokens.current();
    switch (token.type()) {
      case NAME -> {
        tokens.next();
        return switch (token.text()) {
          case "true", "True" -> new Expression.Constant(Value.TRUE, token.place());
          case "false", "False" -> new Expression.Constant(Value.FALSE, token.place());
          case "none", "None" -> new Expression.Constant(Value.NONE, token.place());
          case "self" ->
              throw Failure.unsupported(
                      "'self' stands for blocks of templates, which are not supported")
                  .at(token.place());
          default -> {
            tokens.mention(token.text());
            yield new Expression.Name(token.text(), token.place());
          }
        };
      }
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (tokens.current().type() == TokenType.STRING) {
          text.append(tokens.next().text());
        }
        return new Expression.Constant(new Text(text.toString()), token.place());
      }
      case INTEGER -> {
        tokens.next();
        return new Expression.Constant(integer(token), token.place());
      }
      case FLOAT -> {
        tokens.next();
        return new Expression.Constant(
            new Value.Real(Double.parseDouble(token.text())), token.place());
      }
      default -> {}
    }
    if (tokens.skipOperator("(")) {
      Expression inner = tuple(this::conditional, true);
      tokens.expectOperator(")");
      return inner;
    }
    if (tokens.skipOperator("[")) {
      return new Expression.Sequence(Items.Type.LIST, listItems("]"), token.place());
    }
    if (tokens.skipOperator("{")) {
      return mapping(token.place());
    }
    throw tokens.unexpected("an expression");
  }

  private static Value integer(Token token) {
    String text = token.text().toLowerCase(Locale.ROOT);
    int radix =
        text.startsWith("0x") ? 16 : text.startsWith("0o") ? 8 : text.startsWith("0b") ? 2 : 10;
    String digits = radix == 10 ? text : text.substring(2);
    if (digits.length() > 4300) {
      throw Failure.limit("a number has more than 4300 digits").at(token.place());
    }
    return new Value.Int(new BigInteger(digits, radix));
  }

  private Expression tuple(Supplier<Expression> item, boolean inParentheses) {
    Place place = tokens.current().place();
    if (inParentheses && tokens.isOperator(")")) {
      return new Expression.Sequence(Items.Type.TUPLE, List.of(), place);
    }
    Expression first = item.get();
    if (!tokens.isOperator(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tokens.skipOperator(",") && !endsTuple()) {
      items.add(item.get());
    }
    return new Expression.Sequence(Items.Type.TUPLE, List.copyOf(items), place);
  }

  private boolean endsTuple() {
    return switch (tokens.current().type()) {
      case VARIABLE_END, BLOCK_END, END -> true;
      default -> tokens.isOperator(")");
    };
  }

  private List<Expression> listItems(String close) {
    List<Expression> items = new ArrayList<>();
    while (!tokens.isOperator(close)) {
      if (!items.isEmpty()) {
        tokens.expectOperator(",");
      }
      if (tokens.isOperator(close)) {
        break;
      }
      items.add(expression());
    }
    tokens.expectOperator(close);
    return List.copyOf(items);
  }

  private Expression mapping(Place place) {
    List<Expression.Pair> pairs = new ArrayList<>();
    while (!tokens.isOperator("}")) {
      if (!pairs.isEmpty()) {
        tokens.expectOperator(",");
      }
      if (tokens.isOperator("}")) {
        break;
      }
      Expression key = expression();
      tokens.expectOperator(":");
      pairs.add(new Expression.Pair(key, expression()));
    }
    tokens.expectOperator("}");
    return new Expression.Mapping(List.copyOf(pairs), place);
  }

  private Expression postfix(Expression node) {
    Expression result = node;
    while (true) {
      if (tokens.isOperator(".")) {
        result = attribute(result);
      } else if (tokens.isOperator("[")) {
        result = subscript(result);
      } else if (tokens.isOperator("(")) {
        result = call(result);
      } else {
        return result;
      }
    }
  }

  private Expression attribute(Expression of) {
    tokens.next();
    Token name = tokens.next();
    return switch (name.type()) {
      case NAME -> new Expression.Attribute(of, name.text(), name.place());
      case INTEGER ->
          new Expression.Subscript(
              of, new Expression.Constant(integer(name), name.place()), name.place());
      default ->
          throw Failure.syntax(
              "expected a name or a number after '.', got " + name.describe(), name.place());
    };
  }

  private Expression subscript(Expression of) {
    Place place = tokens.next().place();
    tokens.enter();
    Optional<Expression> from =
        tokens.isOperator(":") ? Optional.empty() : Optional.of(expression());
    Expression result;
    if (tokens.skipOperator(":")) {
      Optional<Expression> to = bound();
      Optional<Expression> step = tokens.skipOperator(":") ? bound() : Optional.empty();
      result = new Expression.Slice(of, from, to, step, place);
    } else {
      result = new Expression.Subscript(of, from.orElseThrow(), place);
    }
    if (tokens.isOperator(",")) {
      throw Failure.of(Kind.UNSUPPORTED, "only one key or slice is supported between '[' and ']'")
          .at(tokens.current().place());
    }
    tokens.expectOperator("]");
    tokens.leave();
    return result;
  }

  private Optional<Expression> bound() {
    return tokens.isOperator(":") || tokens.isOperator("]")
        ? Optional.empty()
        : Optional.of(expression());
  }

  /** A call of {@code function}. */
  Expression.Call call(Expression function) {
    Place place = tokens.current().place();
    return new Expression.Call(function, parameters(), place);
  }

  private Parameters parameters() {
    Token open = tokens.expectOperator("(");
    List<Expression> positional = new ArrayList<>();
    List<Expression.Keyword> keywords = new ArrayList<>();
    Optional<Expression> rest = Optional.empty();
    Optional<Expression> restKeywords = Optional.empty();
    boolean first = true;
    while (!tokens.isOperator(")")) {
      if (!first) {
        tokens.expectOperator(",");
        if (tokens.isOperator(")")) {
          break;
        }
      }
      first = false;
      boolean ordered;
      if (tokens.skipOperator("*")) {
        ordered = rest.isEmpty() && restKeywords.isEmpty();
        rest = Optional.of(expression());
      } else if (tokens.skipOperator("**")) {
        ordered = restKeywords.isEmpty();
        restKeywords = Optional.of(expression());
      } else if (tokens.current().type() == TokenType.NAME && tokens.ahead().isOperator("=")) {
        ordered = restKeywords.isEmpty();
        String name = tokens.next().text();
        tokens.next();
        keywords.add(new Expression.Keyword(name, expression()));
      } else {
        ordered = rest.isEmpty() && restKeywords.isEmpty() && keywords.isEmpty();
        positional.add(expression());
      }
      if (!ordered) {
        throw Failure.syntax(
            "the arguments of a call must come in this order: positional, named, *list, **dict",
            open.place());
      }
    }
    tokens.expectOperator(")");
    return new Parameters(List.copyOf(positional), List.copyOf(keywords), rest, restKeywords);
  }

  private Expression filtersAndTests(Expression node) {
    Expression result = node;
    while (true) {
      if (tokens.skipOperator("|")) {
        Statement.AppliedFilter filter = filter();
        result = new Expression.Filter(result, filter.name(), filter.parameters(), filter.place());
      } else if (tokens.isName("is")) {
        result = test(result);
      } else if (tokens.isOperator("(")) {
        result = call(result);
      } else {
        return result;
      }
    }
  }

  /** A filter's name and arguments; the bar before it is read. */
  Statement.AppliedFilter filter() {
    Token name = tokens.expect(TokenType.NAME, "the name of a filter");
    if (!Filters.NAMES.contains(name.text())) {
      throw unknown("filter", name, Filters.NAMES);
    }
    return new Statement.AppliedFilter(
        name.text(), tokens.isOperator("(") ? parameters() : Parameters.NONE, name.place());
  }

  private Expression test(Expression subject) {
    tokens.next();
    boolean negated = tokens.skipName("not");
    Token name = tokens.expect(TokenType.NAME, "the name of a test");
    if (!Predicates.NAMES.contains(name.text())) {
      throw unknown("test", name, Predicates.NAMES);
    }
    Parameters parameters = Parameters.NONE;
    if (tokens.isOperator("(")) {
      parameters = parameters();
    } else if (startsTestArgument()) {
      if (tokens.isName("is")) {
        throw Failure.syntax(
            "two tests cannot follow each other; join them with and", tokens.current().place());
      }
      parameters = Parameters.of(postfix(primary()));
    }
    return new Expression.Test(subject, name.text(), parameters, negated, name.place());
  }

  private boolean startsTestArgument() {
    return switch (tokens.current().type()) {
      case NAME -> !tokens.isName("else") && !tokens.isName("or") && !tokens.isName("and");
      case STRING, INTEGER, FLOAT -> true;
      default -> tokens.isOperator("[") || tokens.isOperator("{");
    };
  }

  private static Failure unknown(String what, Token name, Set<String> known) {
    return Failure.unsupported(
            "there is no %s '%s'; known are %s"
                .formatted(what, name.text(), String.join(", ", known.stream().sorted().toList())))
        .at(name.place());
  }
}
