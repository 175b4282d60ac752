package dev.nibble.api;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Optional;

/** A conversation with more tokens than the model takes, which leaves no room for an answer. */
public final class ConversationTooLong extends NibbleException {
  private static final long serialVersionUID = 1L;

  private final int tokens;
  private final int most;

  ConversationTooLong(int tokens, int most) {
    super(
        Fault.USER,
        "the conversation has %d tokens with this message, and the model takes %d with the answer"
            .formatted(tokens, most),
        Optional.of(Remedy.CLEAR_CONVERSATION));
    this.tokens = tokens;
    this.most = most;
  }

  /** Tokens of the conversation. */
  public int tokens() {
    return tokens;
  }

  /** The most that the model takes. */
  public int most() {
    return most;
  }
}
