package dev.nibble.compute.kernels;

/** There is no room for pages. The message names the place, the size and what to do. */
public final class PagingException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PagingException(String message, Throwable cause) {
    super(message, cause);
  }
}
