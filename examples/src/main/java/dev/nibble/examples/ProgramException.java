package dev.nibble.examples;

/** A mistake in a program's input. The message says where, what was expected, and what to do. */
public final class ProgramException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public ProgramException(String message) {
    super(message);
  }
}
