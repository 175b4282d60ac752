package dev.nibble.api.wiring;

import dev.nibble.api.event.Event;
import dev.nibble.data.chat.ChatTemplate;
import dev.nibble.data.chat.ChatTemplates;
import dev.nibble.data.chat.ConversationSource;
import dev.nibble.data.chat.MessageRows;
import dev.nibble.data.chat.Supervision;
import dev.nibble.data.chat.TemplateChoice;
import dev.nibble.data.format.Alpaca;
import dev.nibble.data.format.AlpacaConversations;
import dev.nibble.data.format.Chat;
import dev.nibble.data.format.Completion;
import dev.nibble.data.format.PromptFormat;
import dev.nibble.data.format.PromptTemplate;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Values;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipe.Dataset;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Conversion of rows to text. All formats of a run share one chat template, and templates that ask
 * for the date are told the time at which the run began.
 */
public final class Formats {
  private final Recipe recipe;
  private final LocalDateTime now;
  private final Optional<ChatTemplate> template;

  /** Finds the chat template, if any dataset needs one. */
  public Formats(Recipe recipe, LocalDateTime now) {
    this.recipe = recipe;
    Recipe.Data data = recipe.data();
    boolean needed =
        data.chat().template().isPresent()
            || data.train().stream().anyMatch(d -> d.format().isConversation())
            || data.validation().stream().anyMatch(d -> d.format().isConversation())
            || recipe.evaluation().answers().stream()
                .anyMatch(a -> a.dataset().format().isConversation());
    this.now = now;
    this.template = needed ? Optional.of(find()) : Optional.empty();
  }

  private ChatTemplate find() {
    Recipe.Chat chat = recipe.data().chat();
    Map<String, Value> variables = new HashMap<>();
    chat.variables().forEach((name, value) -> variables.put(name, Values.of(value)));
    return ChatTemplates.find(
        recipe.model().base(),
        chat.template().orElseGet(TemplateChoice.OfModel::new),
        variables,
        now);
  }

  /**
   * The chat template for a conversation with the model, whether a dataset needs it or not.
   *
   * @throws dev.nibble.data.chat.InvalidChatTemplate when there is none
   */
  public ChatTemplate chatTemplate() {
    return template.orElseGet(this::find);
  }

  /** The chat template, if any dataset needs one. */
  public Optional<ChatTemplate> template() {
    return template;
  }

  /** The chat template and where its answers end, if any dataset needs one. */
  public Optional<Event> report(Tokenizer tokenizer) {
    return template.map(t -> {
      EndOfTurn end = EndOfTurn.of(t, tokenizer);
      return new Event.TemplateFound(
          t.source(),
          end.text(),
          text(end.token(), tokenizer),
          text(end.ofCalls(), tokenizer),
          t.learnsEndOfTurn());
    });
  }

  private static Optional<String> text(OptionalInt token, Tokenizer tokenizer) {
    return token.isPresent()
        ? Optional.of(tokenizer.decode(new int[] {token.getAsInt()}, false))
        : Optional.empty();
  }

  /** The maker of samples from a dataset's rows. */
  public SampleMaker samples(Dataset dataset, Tokenizer tokenizer) {
    Recipe.Data data = recipe.data();
    SampleMaker samples =
        new SampleMaker(
            tokenizer, of(dataset), data.sequenceLength(), data.excess(), data.trainOnInputs());
    return data.trainOnEmptyAnswers() ? samples.learningEmptyAnswers() : samples;
  }

  /** The format that makes text of a dataset's rows. */
  public PromptFormat of(Dataset dataset) {
    return switch (dataset.format()) {
      case ALPACA -> alpaca(dataset, dataset.prompt());
      case PROMPT_COMPLETION -> alpaca(dataset, Optional.of(PromptTemplate.INSTRUCTION));
      case COMPLETION -> new Completion(dataset.textColumn());
      case CHAT_TEMPLATE, MESSAGES, SHAREGPT ->
          chat(dataset, new MessageRows(dataset.messages().fields()));
    };
  }

  private PromptFormat alpaca(Dataset dataset, Optional<PromptTemplate> prompt) {
    if (recipe.data().chat().template().isPresent()) {
      return chat(dataset, new AlpacaConversations(prompt, dataset.columns()));
    }
    return prompt.map(Alpaca::with).orElseGet(Alpaca::standard).withColumns(dataset.columns());
  }

  private Chat chat(Dataset dataset, ConversationSource rows) {
    Recipe.Messages messages = dataset.messages();
    Supervision supervision =
        new Supervision(
            Set.copyOf(messages.trainedRoles()),
            recipe.data().chat().lastOnly(),
            messages.weightField(),
            recipe.data().trainOnEmptyAnswers());
    return new Chat(rows, template.orElseThrow(), supervision);
  }

  /** The tokens at which an answer ends. */
  public Set<Integer> stopTokens(Tokenizer tokenizer) {
    return template
        .map(t -> stopTokens(t, tokenizer))
        .orElseGet(() -> Set.copyOf(tokenizer.special().stop()));
  }

  /** The tokens at which an answer ends that {@code template} asked for. */
  public Set<Integer> stopTokens(ChatTemplate template, Tokenizer tokenizer) {
    Set<Integer> stops = new HashSet<>(tokenizer.special().stop());
    EndOfTurn end = EndOfTurn.of(template, tokenizer);
    end.token().ifPresent(stops::add);
    end.ofCalls().ifPresent(stops::add);
    return stops;
  }
}
