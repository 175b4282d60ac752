package dev.nibble.trainer.generate;

/** Hears of each token as soon as it is chosen. */
@FunctionalInterface
public interface TokenListener {
  /** Hears nothing. */
  TokenListener NONE = (prompt, token) -> true;

  /**
   * A token was chosen; stop tokens are not told.
   *
   * @param prompt index of its prompt
   * @param token its id
   * @return whether the continuation goes on; false ends it behind this token
   */
  boolean accept(int prompt, int token);
}
