package dev.nibble.trainer.model;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** A model that cannot be read, built or written. The message is for the user. */
public final class ModelException extends NibbleException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public ModelException(String message) {
    super(Fault.USER, message);
  }

  /** With a message for the user, and the cause. */
  public ModelException(String message, Throwable cause) {
    super(Fault.USER, message, cause);
  }
}
