package dev.nibble.api;

import dev.nibble.data.tokenizer.Tokenizer;
import java.util.Arrays;

/**
 * A decoder of tokens that come one by one. A character may need several tokens; it is given out
 * when it is complete.
 */
final class StreamingDecoder {
  private final Tokenizer tokenizer;
  private int[] tokens = new int[0];
  private int given;

  StreamingDecoder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** What the token adds. */
  String add(int token) {
    tokens = Arrays.copyOf(tokens, tokens.length + 1);
    tokens[tokens.length - 1] = token;
    String text = tokenizer.decode(tokens, true);
    // The replacement character at the end is a character whose bytes are not all here yet.
    return text.endsWith("\uFFFD") ? "" : from(text);
  }

  /** What is left at the end, complete or not. */
  String rest() {
    return from(tokenizer.decode(tokens, true));
  }

  private String from(String text) {
    String news = text.substring(Math.min(given, text.length()));
    given = text.length();
    return news;
  }
}
