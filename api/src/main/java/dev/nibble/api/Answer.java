package dev.nibble.api;

/**
 * An answer, and how it came about.
 *
 * @param text without special tokens
 * @param ending why it ends where it does
 * @param promptTokens tokens of all that it answers
 * @param tokens of the answer
 */
public record Answer(String text, Ending ending, int promptTokens, int tokens) {
  /** The same with another reason. */
  Answer ending(Ending other) {
    return new Answer(text, other, promptTokens, tokens);
  }

  /** Why an answer ends. */
  public enum Ending {
    /** The model ended it. */
    COMPLETE,
    /** It has as many tokens as were asked for. */
    MAX_TOKENS,
    /** With it, the model has as many tokens as it takes. */
    CONTEXT,
    /** The caller ended it. */
    STOPPED
  }
}
