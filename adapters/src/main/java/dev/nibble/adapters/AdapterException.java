package dev.nibble.adapters;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** An adapter that cannot be built, read or written. The message is for the user. */
public final class AdapterException extends NibbleException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public AdapterException(String message) {
    super(Fault.USER, message);
  }

  /** With a message for the user, and the cause. */
  public AdapterException(String message, Throwable cause) {
    super(Fault.USER, message, cause);
  }
}
