package dev.nibble.quant;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** A tensor of a checkpoint cannot be used. The message names it and says why. */
public final class UnusableWeight extends NibbleException {
  private static final long serialVersionUID = 1L;

  /** {@code message} names the tensor and says what is wrong with it. */
  public UnusableWeight(String message) {
    super(Fault.USER, message);
  }
}
