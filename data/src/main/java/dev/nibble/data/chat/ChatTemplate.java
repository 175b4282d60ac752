package dev.nibble.data.chat;

import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Rendering;
import dev.nibble.jinja.Template;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A chat template: renders conversations as text, as {@code apply_chat_template} of transformers
 * does. Safe for use by several threads.
 */
public final class ChatTemplate {
  private final String source;
  private final Template standard;
  private final Optional<Template> forTools;
  private final Map<String, Value> variables;
  private final LocalDateTime now;
  private final Map<Template, TurnEnd> ends = new ConcurrentHashMap<>();
  private final Map<Template, ToolCallForm> calls = new ConcurrentHashMap<>();

  /**
   * A template with all that it is told besides the conversation.
   *
   * @param source origin of the template, for messages
   * @param standard the template
   * @param forTools the template for conversations with tools, where the model has one of its own
   * @param variables special tokens and others
   * @param now the time for templates that ask for the date; fixed, so that a row gives the same
   *     text whenever it is read
   */
  public ChatTemplate(
      String source,
      Template standard,
      Optional<Template> forTools,
      Map<String, Value> variables,
      LocalDateTime now) {
    this.source = source;
    this.standard = standard;
    this.forTools = forTools;
    this.variables = Map.copyOf(variables);
    this.now = now;
  }

  /** Origin of the template, for messages. */
  public String source() {
    return source;
  }

  /** The template for this conversation. */
  public Template of(Conversation conversation) {
    return conversation.tools().flatMap(_ -> forTools).orElse(standard);
  }

  /**
   * The same conversation with its tool calls in the form that the template reads: arguments as
   * objects or as JSON text, and {@code tool_calls} for the older {@code function_call}.
   *
   * @throws InvalidConversation when arguments cannot be brought into that form
   */
  public Conversation adapted(Conversation conversation) {
    return ToolCallForm.matters(conversation)
        ? calls
            .computeIfAbsent(of(conversation), _ -> ToolCallForm.of(this, conversation.tools()))
            .adapted(conversation)
        : conversation;
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

  /** The text that ends an answer, such as {@code <|im_end|>} and a line break. */
  public String endOfTurn() {
    return TurnEnd.of(this, Optional.empty()).last();
  }

  /** What ends a turn of tool calls; empty where that is what ends an answer, or unknown. */
  public Optional<CallEnd> endOfCalls() {
    return CallEnd.of(this);
  }

  /**
   * Whether the text that ends an answer is learned. A template whose {@code {% generation %}} ends
   * with what the assistant says leaves it out, and a model that is trained so never learns to
   * stop.
   */
  public boolean learnsEndOfTurn() {
    if (!standard.marksGeneration() || endOfTurn().isBlank()) {
      return true;
    }
    List<String> answers = List.of("Quartz", "Zephyr-7");
    List<Dict> messages = new ArrayList<>();
    for (String answer : answers) {
      messages.add(Conversation.message("user", "?"));
      messages.add(Conversation.message(Conversation.ASSISTANT, answer));
    }
    Conversation conversation = new Conversation(messages, Optional.empty());
    SupervisedText learned;
    try {
      learned = SupervisedText.of(this, conversation, Supervision.STANDARD);
    } catch (JinjaException | InvalidConversation e) {
      return true; // a template for other conversations: nothing is known, and nothing warned of
    }
    return learned.parts().stream()
        .allMatch(
            part -> answers.stream().noneMatch(answer -> part.stripTrailing().endsWith(answer)));
  }

  /** What the template writes behind an answer in such a conversation. */
  TurnEnd turnEnd(Conversation conversation) {
    return ends.computeIfAbsent(of(conversation), _ -> TurnEnd.of(this, conversation.tools()));
  }

  /** A rendering without the token that begins a sequence. */
  String withoutBos(String rendering) {
    return variables.get("bos_token") instanceof Value.Text bos && rendering.startsWith(bos.text())
        ? rendering.substring(bos.text().length())
        : rendering;
  }
}
