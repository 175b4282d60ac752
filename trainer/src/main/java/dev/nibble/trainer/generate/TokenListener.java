package dev.nibble.trainer.generate;

/** Hears of each token as soon as it is chosen. */
@FunctionalInterface
public interface TokenListener {
  /** Hears nothing. */
  TokenListener NONE = (prompt, token) -> {};

  /**
   * A token was chosen; stop tokens are not told.
   *
   * @param prompt index of its prompt
   * @param token its id
   */
  void accept(int prompt, int token);
}
