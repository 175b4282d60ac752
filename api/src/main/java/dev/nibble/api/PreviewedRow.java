package dev.nibble.api;

import java.nio.file.Path;
import java.util.List;

/** A row of a dataset, as training would take it. */
public sealed interface PreviewedRow {

  /** The dataset's file or folder. */
  Path dataset();

  /** The row's number, counted from 1. */
  long number();

  /**
   * A sample.
   *
   * @param tokens in order
   * @param text all of it, special tokens included, in parts that are trained on and parts that are
   *     not
   */
  record Sample(Path dataset, long number, List<Token> tokens, List<Part> text)
      implements PreviewedRow {
    /** The count of tokens that the loss is computed on. */
    public long supervisedTokens() {
      return tokens.stream().filter(Token::supervised).count();
    }
  }

  /**
   * A token.
   *
   * @param text of the token alone
   * @param supervised whether the loss is computed on it; the first token never is, since nothing
   *     predicts it
   */
  record Token(int id, String text, boolean supervised) {}

  /** Text of neighbouring tokens that are all trained on or all not. */
  record Part(String text, boolean supervised) {}

  /** A row that is left out because it has more tokens than a sample may have. */
  record TooLong(Path dataset, long number, int tokens) implements PreviewedRow {}

  /** A row that is left out because no token of it would be trained on. */
  record Unsupervised(Path dataset, long number) implements PreviewedRow {}

  /**
   * A row that is left out because it cannot be used.
   *
   * @param problem what is wrong with it, and where
   */
  record Bad(Path dataset, long number, String problem) implements PreviewedRow {}
}
