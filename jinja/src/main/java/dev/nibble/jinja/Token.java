package dev.nibble.jinja;

/**
 * A token of a template.
 *
 * @param type what it is
 * @param text the name, the operator, the text of a string without its quotes, the number as
 *     written, or the text between tags
 * @param place where it starts
 */
record Token(TokenType type, String text, Place place) {
  boolean isOperator(String operator) {
    return type == TokenType.OPERATOR && text.equals(operator);
  }

  boolean isName(String name) {
    return type == TokenType.NAME && text.equals(name);
  }

  /** For messages. */
  String describe() {
    return switch (type) {
      case DATA -> "text";
      case VARIABLE_BEGIN -> "'{{'";
      case VARIABLE_END -> "'}}'";
      case BLOCK_BEGIN -> "'{%'";
      case BLOCK_END -> "'%}'";
      case STRING -> "a string";
      case END -> "the end of the template";
      case NAME, INTEGER, FLOAT, OPERATOR -> "'" + text + "'";
    };
  }
}
