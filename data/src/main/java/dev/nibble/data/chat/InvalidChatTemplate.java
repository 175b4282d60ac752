package dev.nibble.data.chat;

/** A chat template that is missing or cannot be used; the message says what to do. */
public final class InvalidChatTemplate extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InvalidChatTemplate(String message) {
    super(message);
  }

  InvalidChatTemplate(String message, Throwable cause) {
    super(message, cause);
  }
}
