package dev.nibble.compute.tensor;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/**
 * A scope was used against its rules: over its limit, after the seal, or closed in the wrong order.
 */
public final class ScopeException extends NibbleException {
  private static final long serialVersionUID = 1L;

  ScopeException(String message) {
    super(Fault.BUG, message);
  }
}
