package dev.nibble.compute.kernels.cuda.cublas;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Optional;

/** An error of cuBLAS: it could not be loaded, or a call failed. */
public final class CublasException extends NibbleException {
  private static final long serialVersionUID = 1L;

  CublasException(Fault fault, String message) {
    super(fault, message);
  }

  CublasException(Fault fault, String problem, Remedy remedy) {
    super(fault, problem, Optional.of(remedy));
  }

  CublasException(Fault fault, String problem, Remedy remedy, Throwable cause) {
    super(fault, problem, Optional.of(remedy), cause);
  }

  CublasException(Fault fault, String message, Throwable cause) {
    super(fault, message, cause);
  }
}
