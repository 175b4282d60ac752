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
}
