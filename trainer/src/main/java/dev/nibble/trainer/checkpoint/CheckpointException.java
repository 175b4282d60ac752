package dev.nibble.trainer.checkpoint;

/**
 * A checkpoint cannot be written, read or used. The message names the folder and says what to do.
 */
public final class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CheckpointException(String message) {
    super(message);
  }

  CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
