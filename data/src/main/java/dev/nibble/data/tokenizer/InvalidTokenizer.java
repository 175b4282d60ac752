package dev.nibble.data.tokenizer;

/** Tokenizer files that cannot be used; the message says which file, why, and what to do. */
public final class InvalidTokenizer extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InvalidTokenizer(String message) {
    super(message);
  }

  InvalidTokenizer(String message, Throwable cause) {
    super(message, cause);
  }
}
