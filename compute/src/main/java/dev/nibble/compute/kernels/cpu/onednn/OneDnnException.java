package dev.nibble.compute.kernels.cpu.onednn;

/** oneDNN could not be loaded, or refused a call. */
public final class OneDnnException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  OneDnnException(String message) {
    super(message);
  }

  OneDnnException(String message, Throwable cause) {
    super(message, cause);
  }
}
