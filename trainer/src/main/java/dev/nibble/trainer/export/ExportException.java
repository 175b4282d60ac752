package dev.nibble.trainer.export;

/** A model cannot be exported, or not so. The message says what is in the way and what to do. */
public final class ExportException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With what is in the way. */
  public ExportException(String message) {
    super(message);
  }

  /** With what is in the way, and why. */
  public ExportException(String message, Throwable cause) {
    super(message, cause);
  }
}
