package dev.nibble.compute.files;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** A link that leads out of the folder that it lies in. The message names it and its target. */
public final class UnsafeLink extends NibbleException {
  private static final long serialVersionUID = 1L;

  /** {@code message} names the link, its target, and what to do. */
  public UnsafeLink(String message) {
    super(Fault.USER, message);
  }
}
