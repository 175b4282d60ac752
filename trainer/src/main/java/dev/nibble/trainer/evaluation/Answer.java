package dev.nibble.trainer.evaluation;

/**
 * One question with what was answered.
 *
 * @param question as a person reads it
 * @param expected the right answer
 * @param given the model's, trimmed
 */
public record Answer(String question, String expected, String given) {

  /** Whether both are the same text. */
  public boolean isRight() {
    return expected.equals(given);
  }

  /**
   * How many words both have in common, in [0, 1]: the token-level F1 of SQuAD (arXiv:1606.05250),
   * which looks at neither case nor punctuation nor articles.
   */
  public double f1() {
    return TokenF1.of(expected, given);
  }
}
