package dev.nibble.compute.kernels.cuda.driver;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Optional;

/** An error of the CUDA driver: it could not be loaded, or a call failed. */
public final class CudaException extends NibbleException {
  private static final long serialVersionUID = 1L;

  static final int OUT_OF_MEMORY = 2;

  private final int code;

  CudaException(String message) {
    super(Fault.MACHINE, message);
    this.code = 0;
  }

  CudaException(String problem, Optional<Remedy> remedy, int code) {
    super(CudaCall.losesContext(code) ? Fault.BUG : Fault.MACHINE, problem, remedy);
    this.code = code;
  }

  CudaException(Fault fault, String message, Throwable cause) {
    super(fault, message, cause);
    this.code = 0;
  }

  /** The driver's CUresult; 0 when the driver was not reached. */
  public int code() {
    return code;
  }

  /** Whether the context is lost: every later call in it gives the same error. */
  boolean losesContext() {
    return CudaCall.losesContext(code);
  }
}
