package dev.nibble.compute.kernels;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Optional;

/** A request for a kernel set that cannot run here. The message gives the reason and a remedy. */
public final class KernelUnavailable extends NibbleException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public KernelUnavailable(String message) {
    super(Fault.MACHINE, message);
  }

  /** With a problem for the user, and what would avoid it. */
  public KernelUnavailable(String problem, Remedy remedy) {
    super(Fault.MACHINE, problem, Optional.of(remedy));
  }

  /** With what cannot run, and an error that says why. */
  public KernelUnavailable(String what, NibbleException cause) {
    super(Fault.MACHINE, what + ": " + cause.problem(), cause.remedy(), cause);
  }
}
