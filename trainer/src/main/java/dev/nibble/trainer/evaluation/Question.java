package dev.nibble.trainer.evaluation;

/**
 * A prompt and what the model should answer.
 *
 * @param prompt its token ids
 * @param text the prompt as a person reads it
 * @param answer expected text; surrounding white space does not count
 */
@SuppressWarnings("ArrayRecordComponent") // read-only; compared by identity only
public record Question(int[] prompt, String text, String answer) {}
