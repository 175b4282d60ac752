package dev.nibble.trainer.plan;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** A plan of weight formats cannot be read, or is for another model. The message names its file. */
public final class PlanException extends NibbleException {
  private static final long serialVersionUID = 1L;

  PlanException(String message) {
    super(Fault.USER, message);
  }

  PlanException(String message, Throwable cause) {
    super(Fault.USER, message, cause);
  }
}
