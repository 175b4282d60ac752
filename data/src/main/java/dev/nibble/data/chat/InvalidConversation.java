package dev.nibble.data.chat;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Optional;

/**
 * A conversation that cannot be trained on with its chat template; the message says why, but not in
 * which row.
 */
public final class InvalidConversation extends NibbleException {
  private static final long serialVersionUID = 1L;

  InvalidConversation(String message) {
    super(Fault.USER, message);
  }

  InvalidConversation(String problem, Remedy remedy) {
    super(Fault.USER, problem, Optional.of(remedy));
  }
}
