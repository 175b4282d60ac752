package dev.nibble.data.tokenizer;

/** Turns text into token ids and back. Safe for use by several threads. */
public interface Tokenizer extends AutoCloseable {
  /**
   * The token ids of a text. Special tokens that occur in it as text become those tokens.
   *
   * @param addSpecialTokens whether the tokenizer adds its own, such as BOS
   */
  int[] ids(String text, boolean addSpecialTokens);

  /** The tokens of a text with the place of each in it. */
  Encoding encode(String text, boolean addSpecialTokens);

  /**
   * The text of token ids.
   *
   * @param skipSpecialTokens whether to leave special tokens out
   */
  String decode(int[] ids, boolean skipSpecialTokens);

  /**
   * One more than the largest token id. A model may have more rows in its embedding, never fewer.
   */
  int vocabSize();

  /** The tokens with a role. */
  SpecialTokens special();

  @Override
  void close();
}
