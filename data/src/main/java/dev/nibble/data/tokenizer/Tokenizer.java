package dev.nibble.data.tokenizer;

import java.util.Arrays;

/** Converter of text to token ids and back. Safe for use by several threads. */
public interface Tokenizer extends AutoCloseable {
  /**
   * The token ids of a text. Special tokens that occur in it as text become those tokens.
   *
   * @param addSpecialTokens whether the tokenizer adds its own, such as BOS
   * @throws InvalidText when it holds half of a character, or a token that the model does not know
   */
  int[] ids(String text, boolean addSpecialTokens);

  /**
   * The token ids of a text for a model to continue: with the tokens that the tokenizer adds in
   * front, of which BOS is not doubled where the text begins with it, and without an EOS behind.
   */
  default int[] prompt(String text) {
    int[] own = ids(text, false);
    int[] ids = ids(text, true);
    if (own.length == 0 || ids.length == own.length) {
      return ids;
    }
    int bos = special().bos().orElse(-1);
    int eos = special().eos().orElse(-1);
    boolean doubled = ids[0] == bos && ids[1] == bos && own[0] == bos;
    boolean ended = ids[ids.length - 1] == eos && own[own.length - 1] != eos;
    return Arrays.copyOfRange(ids, doubled ? 1 : 0, ended ? ids.length - 1 : ids.length);
  }

  /**
   * The tokens of a text with the place of each in it.
   *
   * @throws InvalidText as {@link #ids}
   */
  Encoding encode(String text, boolean addSpecialTokens);

  /**
   * The text of token ids.
   *
   * @param skipSpecialTokens whether to leave special tokens out
   */
  String decode(int[] ids, boolean skipSpecialTokens);

  /** One more than the largest token id. A model may have more rows in its embedding, or fewer. */
  int vocabSize();

  /** The tokens with a role. */
  SpecialTokens special();

  @Override
  void close();
}
