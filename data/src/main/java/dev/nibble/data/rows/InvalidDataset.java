package dev.nibble.data.rows;

/**
 * A dataset that cannot be used as it is; the message says where, what was expected and what to do.
 */
public final class InvalidDataset extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InvalidDataset(String message) {
    super(message);
  }

  public InvalidDataset(String message, Throwable cause) {
    super(message, cause);
  }
}
