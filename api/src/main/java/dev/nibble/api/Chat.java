package dev.nibble.api;

import dev.nibble.data.chat.ChatTemplate;
import dev.nibble.data.chat.Conversation;
import dev.nibble.data.chat.InvalidChatTemplate;
import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Value.Dict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A conversation with a model. Each answer is generated from all that was said before, whose keys
 * and values stay in memory until this or the model closes, so that an answer costs as much as what
 * is new. Several chats may share one model.
 */
public final class Chat implements AutoCloseable {

  /**
   * One message.
   *
   * @param role {@code system}, {@code user} or {@code assistant}
   * @param text what was said
   */
  public record Message(String role, String text) {}

  private static final String SYSTEM = "system";
  private static final String USER = "user";

  private final Model model;
  private final ChatTemplate template;
  private final Optional<String> system;
  private final Sampling sampling;
  private final List<Message> history = new ArrayList<>();
  private final ConversationCache cache = new ConversationCache();

  Chat(Model model, ChatTemplate template, Optional<String> system, Sampling sampling) {
    this.model = model;
    this.template = template;
    this.system = system;
    this.sampling = sampling;
    clear();
  }

  /** The model's answer to {@code question}. */
  public String ask(String question) {
    return ask(question, part -> {});
  }

  /**
   * The same, passing each part of the answer on as soon as it is there. When this throws, the
   * conversation is what it was.
   *
   * @throws IllegalArgumentException when the conversation has more tokens than the model takes
   * @throws InvalidChatTemplate when the chat template refuses the conversation
   */
  public String ask(String question, Consumer<String> parts) {
    List<Message> asked = new ArrayList<>(history);
    asked.add(new Message(USER, question));
    List<Dict> messages =
        asked.stream().map(m -> Conversation.message(m.role(), m.text())).toList();
    String answer = model.answer(prompt(messages), template, sampling, parts, cache);
    history.add(new Message(USER, question));
    history.add(new Message(Conversation.ASSISTANT, answer));
    return answer;
  }

  private String prompt(List<Dict> messages) {
    try {
      return template.render(new Conversation(messages, Optional.empty()), true).text();
    } catch (JinjaException e) {
      throw new InvalidChatTemplate(e);
    }
  }

  /** What was said so far, the system prompt first. */
  public List<Message> history() {
    return List.copyOf(history);
  }

  /** Forgets all but the system prompt. */
  public void clear() {
    history.clear();
    system.ifPresent(text -> history.add(new Message(SYSTEM, text)));
  }

  /** Frees the memory of what was said; the next question takes it again. */
  @Override
  public void close() {
    model.close(cache);
  }
}
