package dev.nibble.compute.kernels.cuda.driver;

/** The CUDA driver could not be loaded, or refused a call. */
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  static final int OUT_OF_MEMORY = 2;

  private final int code;

  CudaException(String message) {
    super(message);
    this.code = 0;
  }

  CudaException(String message, int code) {
    super(message);
    this.code = code;
  }

  CudaException(String message, Throwable cause) {
    super(message, cause);
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
