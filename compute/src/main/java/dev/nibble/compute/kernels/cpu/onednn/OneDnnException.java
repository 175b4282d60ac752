package dev.nibble.compute.kernels.cpu.onednn;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Optional;

/** An error of oneDNN: it could not be loaded, or a call failed. */
public final class OneDnnException extends NibbleException {
  private static final long serialVersionUID = 1L;

  OneDnnException(Fault fault, String message) {
    super(fault, message);
  }

  OneDnnException(Fault fault, String problem, Remedy remedy) {
    super(fault, problem, Optional.of(remedy));
  }

  OneDnnException(Fault fault, String message, Throwable cause) {
    super(fault, message, cause);
  }
}
