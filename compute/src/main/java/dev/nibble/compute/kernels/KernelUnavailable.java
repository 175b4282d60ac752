package dev.nibble.compute.kernels;

/** A kernel set was asked for that cannot run here. The message says why and what to do. */
public final class KernelUnavailable extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public KernelUnavailable(String message) {
    super(message);
  }

  /** With a message for the user, and the cause. */
  public KernelUnavailable(String message, Throwable cause) {
    super(message, cause);
  }
}
