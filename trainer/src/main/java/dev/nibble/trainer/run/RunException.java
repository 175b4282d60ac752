package dev.nibble.trainer.run;

/**
 * A run's folder cannot be used. The message names the folder, what is in it and what can be done.
 */
public final class RunException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public RunException(String message) {
    super(message);
  }

  RunException(String message, Throwable cause) {
    super(message, cause);
  }
}
