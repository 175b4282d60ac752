package dev.nibble.quant.plan;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** A format that there is, and that no plan can choose. The message says why. */
public final class UnplannableFormat extends NibbleException {
  private static final long serialVersionUID = 1L;

  UnplannableFormat(String message) {
    super(Fault.USER, message);
  }
}
