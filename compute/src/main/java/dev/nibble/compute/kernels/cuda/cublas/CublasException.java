package dev.nibble.compute.kernels.cuda.cublas;

/** cuBLAS could not be loaded, or refused a call. */
public final class CublasException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CublasException(String message) {
    super(message);
  }

  CublasException(String message, Throwable cause) {
    super(message, cause);
  }
}
