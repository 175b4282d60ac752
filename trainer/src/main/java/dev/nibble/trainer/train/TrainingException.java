package dev.nibble.trainer.train;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Optional;

/** Training cannot go on. The message names the step, what was found and what to do. */
public final class TrainingException extends NibbleException {
  private static final long serialVersionUID = 1L;

  TrainingException(String message) {
    super(Fault.USER, message);
  }

  TrainingException(String problem, Remedy remedy) {
    super(Fault.USER, problem, Optional.of(remedy));
  }
}
