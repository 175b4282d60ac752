package dev.nibble.data.tokenizer;

/**
 * A tokenizer with more tokens than its model has rows in the embedding. Gemma 3's has a token for
 * images that its text models lack, and others were given a token for padding. Only a text that
 * holds such a token is refused.
 *
 * @param all the tokenizer
 * @param embeddings rows of the embedding
 */
record BoundedTokenizer(Tokenizer all, int embeddings) implements Tokenizer {
  BoundedTokenizer {
    int eos = all.special().eos().orElse(-1);
    if (eos >= embeddings) {
      throw new InvalidTokenizer(
          "the end-of-sequence token %s, so the model could not learn to stop. Use the tokenizer that the model was trained with"
              .formatted(described(all, eos, embeddings)));
    }
  }

  private static String described(Tokenizer tokenizer, int id, int embeddings) {
    return "'%s' has the id %d, but the model's embedding has only %d rows (ids 0 to %d)"
        .formatted(tokenizer.decode(new int[] {id}, false), id, embeddings, embeddings - 1);
  }

  private int[] checked(int[] ids) {
    for (int id : ids) {
      if (id >= embeddings) {
        throw new InvalidText(
            "the token %s. Leave this token out, or use a model that knows it"
                .formatted(described(all, id, embeddings)));
      }
    }
    return ids;
  }

  @Override
  public int[] ids(String text, boolean addSpecialTokens) {
    return checked(all.ids(text, addSpecialTokens));
  }

  @Override
  public Encoding encode(String text, boolean addSpecialTokens) {
    Encoding encoding = all.encode(text, addSpecialTokens);
    checked(encoding.ids());
    return encoding;
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    return all.decode(ids, skipSpecialTokens);
  }

  @Override
  public int vocabSize() {
    return all.vocabSize();
  }

  @Override
  public SpecialTokens special() {
    return all.special();
  }

  @Override
  public void close() {
    all.close();
  }
}
