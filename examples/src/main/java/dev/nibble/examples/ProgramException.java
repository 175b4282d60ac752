package dev.nibble.examples;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** A mistake in a program's input. The message says where, what was expected, and what to do. */
public final class ProgramException extends NibbleException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public ProgramException(String message) {
    super(Fault.USER, message);
  }
}
