package dev.nibble.quant.named;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** A name that no weight format has. The message lists the names that there are. */
public final class UnknownFormat extends NibbleException {
  private static final long serialVersionUID = 1L;

  UnknownFormat(String message) {
    super(Fault.USER, message);
  }
}
