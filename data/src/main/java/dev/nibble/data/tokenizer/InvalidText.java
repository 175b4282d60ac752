package dev.nibble.data.tokenizer;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/**
 * A text that a model cannot be given as it is; the message says why, but not in which row or
 * prompt.
 */
public final class InvalidText extends NibbleException {
  private static final long serialVersionUID = 1L;

  InvalidText(String message) {
    super(Fault.USER, message);
  }
}
