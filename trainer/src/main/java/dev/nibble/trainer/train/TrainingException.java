package dev.nibble.trainer.train;

/** Training cannot go on. The message names the step, what was found and what to do. */
public final class TrainingException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  TrainingException(String message) {
    super(message);
  }
}
