package dev.nibble.trainer.model;

/** A model that cannot be read, built or written. The message is for the user. */
public final class ModelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public ModelException(String message) {
    super(message);
  }

  /** With a message for the user, and the cause. */
  public ModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
