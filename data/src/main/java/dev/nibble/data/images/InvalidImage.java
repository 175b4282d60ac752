package dev.nibble.data.images;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/**
 * An image, or a description of how to prepare images, that cannot be used; the message names it.
 */
public final class InvalidImage extends NibbleException {
  private static final long serialVersionUID = 1L;

  InvalidImage(String message) {
    super(Fault.USER, message);
  }

  InvalidImage(String message, Throwable cause) {
    super(Fault.USER, message, cause);
  }
}
