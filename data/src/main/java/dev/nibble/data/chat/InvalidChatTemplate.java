package dev.nibble.data.chat;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import dev.nibble.jinja.JinjaException;
import java.util.Optional;

/** A chat template that is missing or cannot be used; the message says what to do. */
public final class InvalidChatTemplate extends NibbleException {
  private static final long serialVersionUID = 1L;

  InvalidChatTemplate(String message) {
    super(Fault.USER, message);
  }

  /** With the error of a template that refuses a conversation or fails, which names its place. */
  public InvalidChatTemplate(JinjaException refusal) {
    super(
        Fault.USER, "the chat template refuses the conversation: " + refusal.getMessage(), refusal);
  }

  /** With the template, what of it cannot be used, and an error that says why. */
  public InvalidChatTemplate(ChatTemplate template, String part, NibbleException cause) {
    super(
        Fault.USER,
        "the chat template %s cannot be used: %s: %s"
            .formatted(template.source(), part, cause.problem()),
        cause.remedy(),
        cause);
  }

  InvalidChatTemplate(String problem, Remedy remedy) {
    super(Fault.USER, problem, Optional.of(remedy));
  }

  InvalidChatTemplate(String message, Throwable cause) {
    super(Fault.USER, message, cause);
  }
}
