package dev.nibble.jinja;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The tokens of a template while they are parsed. */
final class TokenStream {
  /** How deep brackets, blocks and operators may nest. */
  private static final int MAX_NESTING = 100;

  private final List<Token> tokens;
  private int at;
  private int nesting;
  private Set<String> names = new HashSet<>();

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(at);
  }

  Token ahead() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = current();
    if (token.type() != TokenType.END) {
      at++;
    }
    return token;
  }

  boolean isOperator(String operator) {
    return current().isOperator(operator);
  }

  boolean isName(String name) {
    return current().isName(name);
  }

  boolean skipOperator(String operator) {
    boolean found = isOperator(operator);
    if (found) {
      next();
    }
    return found;
  }

  boolean skipName(String name) {
    boolean found = isName(name);
    if (found) {
      next();
    }
    return found;
  }

  Token expect(TokenType type, String expected) {
    if (current().type() != type) {
      throw unexpected(expected);
    }
    return next();
  }

  Token expectOperator(String operator) {
    if (!isOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
    return next();
  }

  void expectName(String name) {
    if (!isName(name)) {
      throw unexpected("'" + name + "'");
    }
    next();
  }

  Failure unexpected(String expected) {
    return Failure.syntax(
        "expected " + expected + ", got " + current().describe(), current().place());
  }

  /** Goes one level down; {@link #leave} goes up again. */
  void enter() {
    if (++nesting > MAX_NESTING) {
      throw Failure.limit("the template nests more than " + MAX_NESTING + " levels deep")
          .at(current().place());
    }
  }

  void leave() {
    nesting--;
  }

  /** Notes that a variable of this name is read. */
  void mention(String name) {
    names.add(name);
  }

  /** Collects mentioned names from here on; gives what was collected before. */
  Set<String> startNames() {
    Set<String> before = names;
    names = new HashSet<>();
    return before;
  }

  /** The names since {@link #startNames}, whose result is {@code before}. */
  Set<String> endNames(Set<String> before) {
    Set<String> here = names;
    before.addAll(here);
    names = before;
    return here;
  }
}
