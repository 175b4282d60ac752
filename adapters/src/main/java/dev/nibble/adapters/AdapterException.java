package dev.nibble.adapters;

/** An adapter that cannot be built, read or written. The message is for the user. */
public final class AdapterException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public AdapterException(String message) {
    super(message);
  }

  /** With a message for the user, and the cause. */
  public AdapterException(String message, Throwable cause) {
    super(message, cause);
  }
}
