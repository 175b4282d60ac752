package dev.nibble.api;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** A model that cannot answer as its base does; the message says why. */
public final class NoBaseModel extends NibbleException {
  private static final long serialVersionUID = 1L;

  NoBaseModel(String reason) {
    super(Fault.USER, "there is no base model to compare with: " + reason);
  }
}
