package dev.nibble.data.tokenizer;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** Tokenizer files that cannot be used; the message says which file, why, and what to do. */
public final class InvalidTokenizer extends NibbleException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public InvalidTokenizer(String message) {
    super(Fault.USER, message);
  }

  InvalidTokenizer(String message, Throwable cause) {
    super(Fault.USER, message, cause);
  }
}
