package dev.nibble.data.rows;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Optional;

/**
 * A dataset that cannot be used as it is; the message says where, what was expected and what to do.
 */
public final class InvalidDataset extends NibbleException {
  private static final long serialVersionUID = 1L;

  public InvalidDataset(String message) {
    super(Fault.USER, message);
  }

  /** With a problem for the user, and what would avoid it. */
  public InvalidDataset(String problem, Remedy remedy) {
    super(Fault.USER, problem, Optional.of(remedy));
  }

  public InvalidDataset(String message, Throwable cause) {
    super(Fault.USER, message, cause);
  }

  /** With where it is, and an error that says what is wrong there. */
  public InvalidDataset(String place, NibbleException cause) {
    super(Fault.USER, place + ": " + cause.problem(), cause.remedy(), cause);
  }
}
