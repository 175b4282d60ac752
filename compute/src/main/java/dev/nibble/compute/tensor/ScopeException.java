package dev.nibble.compute.tensor;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** A use of a scope against its rules: after the seal, after its end, or closed out of order. */
public final class ScopeException extends NibbleException {
  private static final long serialVersionUID = 1L;

  ScopeException(String message) {
    super(Fault.BUG, message);
  }
}
