package dev.nibble.api;

import java.nio.file.Path;
import java.util.List;

/** What becomes of a row of a dataset. */
public sealed interface PreviewedRow {

  /** The dataset's file or folder. */
  Path dataset();

  /** The row's number, counted from 1. */
  long number();

  /**
   * A sample.
   *
   * @param tokens in order
   * @param text all of it, special tokens included, in parts that are learned and parts that are
   *     not
   */
  record Sample(Path dataset, long number, List<Token> tokens, List<Part> text)
      implements PreviewedRow {
    /** How many tokens are learned. */
    public long learnedTokens() {
      return tokens.stream().filter(Token::learned).count();
    }
  }

  /**
   * A token.
   *
   * @param text of the token alone
   * @param learned whether the loss is computed on it; the first token never is, since nothing
   *     predicts it
   */
  record Token(int id, String text, boolean learned) {}

  /** Text of neighbouring tokens that are all learned or all not. */
  record Part(String text, boolean learned) {}

  /** A row that is left out because it has more tokens than a sample may have. */
  record TooLong(Path dataset, long number, int tokens) implements PreviewedRow {}

  /** A row that is left out because no token of it would be learned. */
  record Unsupervised(Path dataset, long number) implements PreviewedRow {}
}
