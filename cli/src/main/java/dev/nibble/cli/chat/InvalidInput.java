package dev.nibble.cli.chat;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** A command of a conversation, or a file that it names, that cannot be used. */
public final class InvalidInput extends NibbleException {
  private static final long serialVersionUID = 1L;

  InvalidInput(String message) {
    super(Fault.USER, message);
  }
}
