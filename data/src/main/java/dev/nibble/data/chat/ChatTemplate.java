package dev.nibble.data.chat;

import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Rendering;
import dev.nibble.jinja.Template;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Values;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Writes conversations as text, as {@code apply_chat_template} of transformers does.
 *
 * @param source where the template comes from, for messages
 * @param standard the template
 * @param forTools the template for conversations with tools, where the model has one of its own
 * @param variables what it can read besides the conversation: special tokens and the recipe's own
 * @param now the time that templates which ask for the date are told; fixed, so that a row gives
 *     the same text whenever it is read
 */
public record ChatTemplate(
    String source,
    Template standard,
    Optional<Template> forTools,
    Map<String, Value> variables,
    LocalDateTime now) {
  public ChatTemplate {
    variables = Map.copyOf(variables);
  }

  /** The template that writes this conversation. */
  public Template of(Conversation conversation) {
    return conversation.tools().flatMap(_ -> forTools).orElse(standard);
  }

  /**
   * The text of a conversation.
   *
   * @param addGenerationPrompt whether what precedes an answer follows the last message
   * @throws JinjaException when the template fails or refuses the conversation
   */
  public Rendering render(Conversation conversation, boolean addGenerationPrompt) {
    Map<String, Value> all = new HashMap<>();
    all.put("tools", conversation.tools().orElse(Value.NONE));
    all.put("documents", Value.NONE);
    all.putAll(variables);
    all.put("messages", Values.of(conversation.messages()));
    all.put("add_generation_prompt", Values.of(Boolean.valueOf(addGenerationPrompt)));
    return of(conversation).render(all, now);
  }
}
