package dev.nibble.data;

/**
 * One tokenised training sample.
 *
 * @param tokens its token ids
 * @param supervised true where the loss is computed on predicting this token from those before it
 */
@SuppressWarnings(
    "ArrayRecordComponent") // hot and private to the pipeline; compared by identity only
public record Sample(int[] tokens, boolean[] supervised) {

  /** Number of tokens. */
  public int length() {
    return tokens.length;
  }

  /** Tokens that are predicted: supervised ones after the first. */
  public int supervisedTokens() {
    int n = 0;
    for (int i = 1; i < supervised.length; i++) {
      n += supervised[i] ? 1 : 0;
    }
    return n;
  }
}
