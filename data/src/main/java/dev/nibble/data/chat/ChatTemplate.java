package dev.nibble.data.chat;

import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Rendering;
import dev.nibble.jinja.Template;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A chat template: renders conversations as text, as {@code apply_chat_template} of transformers
 * does.
 *
 * @param source origin of the template, for messages
 * @param standard the template
 * @param forTools the template for conversations with tools, where the model has one of its own
 * @param variables variables besides the conversation: special tokens and others
 * @param now the time for templates that ask for the date; fixed, so that a row gives the same text
 *     whenever it is read
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

  /** The template for this conversation. */
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

  /**
   * The text that ends an answer at the end of a conversation, such as {@code <|im_end|>} and a
   * line break.
   *
   * @throws JinjaException when the template refuses a question with an answer
   */
  public String endOfTurn() {
    String answer = "Quartz";
    List<Dict> messages =
        List.of(
            Conversation.message("user", "?"),
            Conversation.message(Conversation.ASSISTANT, answer));
    String text = render(new Conversation(messages, Optional.empty()), false).text();
    int at = text.lastIndexOf(answer);
    return at < 0 ? "" : text.substring(at + answer.length());
  }
}
