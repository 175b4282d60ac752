package dev.nibble.api;

import dev.nibble.data.chat.ChatTemplate;
import dev.nibble.data.chat.Conversation;
import dev.nibble.data.chat.InvalidChatTemplate;
import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A conversation with a model. Each answer is generated from all that was said before, whose keys
 * and values stay in memory until this or the model closes, so that an answer costs as much as what
 * is new. Several chats may share one model.
 *
 * <p>What is set here, such as {@link #sampling(Sampling)}, counts from the next answer on.
 */
public final class Chat implements AutoCloseable {

  /**
   * One message.
   *
   * @param role {@code system}, {@code user}, {@code assistant} or {@code tool}
   * @param text what was said
   */
  public record Message(String role, String text) {}

  private static final String SYSTEM = "system";
  private static final String USER = "user";
  private static final String TOOL = "tool";

  private final Model model;
  private final ChatTemplate template;
  private final List<Message> said = new ArrayList<>();
  private final ConversationCache adapted = new ConversationCache(false);
  private final ConversationCache base = new ConversationCache(true);
  private Optional<String> system;
  private Optional<Value> tools = Optional.empty();
  private Sampling sampling;
  private boolean withAdapter = true;

  Chat(Model model, ChatTemplate template, Optional<String> system, Sampling sampling) {
    this.model = model;
    this.template = template;
    this.system = system;
    this.sampling = sampling;
  }

  /** The model's answer to {@code question}. */
  public String ask(String question) {
    return ask(question, part -> {});
  }

  /** The same, passing each part of the answer on as soon as it is there. */
  public String ask(String question, Consumer<String> parts) {
    return ask(question, parts, () -> false).text();
  }

  /**
   * The same, up to where {@code stop} ends it. An answer that was ended counts as what was said.
   * When this throws, the conversation is what it was.
   *
   * @param stop is asked after each token; true ends the answer there
   * @throws ConversationTooLong when the conversation leaves no room for an answer
   * @throws InvalidChatTemplate when the chat template refuses the conversation
   */
  public Answer ask(String question, Consumer<String> parts, BooleanSupplier stop) {
    return answer(new Message(USER, question), parts, stop);
  }

  /**
   * The model's answer to what a tool has given, which a call in its last answer asked for; see
   * {@link #ask(String, Consumer, BooleanSupplier)}.
   */
  public Answer giveResult(String result, Consumer<String> parts, BooleanSupplier stop) {
    return answer(new Message(TOOL, result), parts, stop);
  }

  private Answer answer(Message message, Consumer<String> parts, BooleanSupplier stop) {
    Stream<Message> all = Stream.concat(history().stream(), Stream.of(message));
    Answer answer =
        model.answer(
            prompt(messages(all.toList())),
            template,
            ofNextAnswer(),
            parts,
            stop,
            withAdapter ? adapted : base);
    said.add(message);
    said.add(new Message(Conversation.ASSISTANT, answer.text()));
    return answer;
  }

  private static List<Dict> messages(List<Message> messages) {
    return messages.stream().map(m -> Conversation.message(m.role(), m.text())).toList();
  }

  /** Equal questions would otherwise draw equal answers. */
  private Sampling ofNextAnswer() {
    long answers = said.stream().filter(m -> m.role().equals(Conversation.ASSISTANT)).count();
    return sampling.withSeed(sampling.seed() + answers);
  }

  private String prompt(List<Dict> messages) {
    try {
      return template.render(new Conversation(messages, tools), true).text();
    } catch (JinjaException e) {
      throw new InvalidChatTemplate(e);
    }
  }

  /** What was said so far, the system prompt first. */
  public List<Message> history() {
    List<Message> all = new ArrayList<>();
    system.ifPresent(text -> all.add(new Message(SYSTEM, text)));
    all.addAll(said);
    return List.copyOf(all);
  }

  /** Forgets all but the system prompt. */
  public void clear() {
    said.clear();
  }

  /** Gives the conversation another system prompt, or none; what was said stays. */
  public void system(Optional<String> prompt) {
    system = prompt;
  }

  /** How the next answers are generated; each draws by the seed plus the number of those before. */
  public void sampling(Sampling changed) {
    sampling = changed;
  }

  /**
   * Offers functions that the model may call, where its chat template has a place for them.
   *
   * @param schemas as rows have them: plain lists and maps, as a JSON reader gives
   * @return whether the template has a place for them; otherwise the model does not see them
   */
  public boolean tools(List<?> schemas) {
    List<Dict> probe = List.of(Conversation.message(USER, "?"));
    tools = Optional.empty();
    String without = prompt(probe);
    tools = schemas.isEmpty() ? Optional.empty() : Optional.of(Values.of(schemas));
    return !prompt(probe).equals(without);
  }

  /**
   * Switches the adapter off, so that the frozen base answers, or on again. What was said stays,
   * whoever said it.
   *
   * @throws NoBaseModel when this model is no adapter on a base, or the base is not as it was
   */
  public void withAdapter(boolean on) {
    if (!on) {
      model.requireBase();
    }
    withAdapter = on;
  }

  /** The conversation as a row of training data: one line of JSON, without a line break. */
  public String row() {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("messages", messages(history()));
    tools.ifPresent(schemas -> row.put("tools", schemas));
    return Values.json(Values.of(row));
  }

  /** Frees the memory of what was said; the next question takes it again. */
  @Override
  public void close() {
    model.close(adapted);
    model.close(base);
  }
}
