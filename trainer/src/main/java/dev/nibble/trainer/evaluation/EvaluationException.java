package dev.nibble.trainer.evaluation;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** Data that nothing can be measured with. The message says what is missing. */
public final class EvaluationException extends NibbleException {
  private static final long serialVersionUID = 1L;

  EvaluationException(String message) {
    super(Fault.USER, message);
  }
}
