package dev.nibble.api.runs;

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
import java.util.Set;

/**
 * How rows become text. All formats of a run share one chat template, and templates that ask for
 * the date are told the time at which the run began.
 */
final class Formats {
  private final Recipe recipe;
  private final Optional<ChatTemplate> template;

  /** Finds the chat template, if any dataset needs one. */
  Formats(Recipe recipe, LocalDateTime now) {
    this.recipe = recipe;
    Recipe.Data data = recipe.data();
    boolean needed =
        data.chat().template().isPresent()
            || data.train().stream().anyMatch(d -> d.format().isConversation())
            || data.validation().stream().anyMatch(d -> d.format().isConversation())
            || recipe.evaluation().answers().stream()
                .anyMatch(a -> a.dataset().format().isConversation());
    Map<String, Value> variables = new HashMap<>();
    data.chat().variables().forEach((name, value) -> variables.put(name, Values.of(value)));
    this.template =
        needed
            ? Optional.of(
                ChatTemplates.find(
                    recipe.model().base(),
                    data.chat().template().orElseGet(TemplateChoice.OfModel::new),
                    variables,
                    now))
            : Optional.empty();
  }

  /** The chat template, if any dataset needs one. */
  Optional<ChatTemplate> template() {
    return template;
  }

  /** What makes samples of a dataset's rows. */
  SampleMaker samples(Dataset dataset, Tokenizer tokenizer) {
    Recipe.Data data = recipe.data();
    return new SampleMaker(
        tokenizer, of(dataset), data.sequenceLength(), data.excess(), data.trainOnInputs());
  }

  /** What makes text of a dataset's rows. */
  PromptFormat of(Dataset dataset) {
    return switch (dataset.format()) {
      case ALPACA -> alpaca(dataset);
      case COMPLETION -> new Completion(dataset.textColumn());
      case CHAT_TEMPLATE, MESSAGES, SHAREGPT ->
          chat(dataset, new MessageRows(dataset.messages().fields()));
    };
  }

  private PromptFormat alpaca(Dataset dataset) {
    if (recipe.data().chat().template().isPresent()) {
      return chat(dataset, new AlpacaConversations(dataset.prompt(), dataset.columns()));
    }
    return dataset
        .prompt()
        .map(Alpaca::with)
        .orElseGet(Alpaca::standard)
        .withColumns(dataset.columns());
  }

  private Chat chat(Dataset dataset, ConversationSource rows) {
    Recipe.Messages messages = dataset.messages();
    Supervision supervision =
        new Supervision(
            Set.copyOf(messages.trainedRoles()),
            recipe.data().chat().lastOnly(),
            messages.weightField());
    return new Chat(rows, template.orElseThrow(), supervision);
  }

  /** The tokens at which an answer ends. */
  Set<Integer> stopTokens(Tokenizer tokenizer) {
    Set<Integer> stops = new HashSet<>(tokenizer.special().stop());
    template.ifPresent(t -> EndOfTurn.of(t, tokenizer).token().ifPresent(stops::add));
    return stops;
  }
}
