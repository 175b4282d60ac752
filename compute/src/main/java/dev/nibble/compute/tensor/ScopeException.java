package dev.nibble.compute.tensor;

/**
 * A scope was used against its rules: over its limit, after the seal, or closed in the wrong order.
 */
public final class ScopeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ScopeException(String message) {
    super(message);
  }
}
