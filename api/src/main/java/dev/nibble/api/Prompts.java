package dev.nibble.api;

import dev.nibble.api.wiring.Formats;
import dev.nibble.data.chat.Conversation;
import dev.nibble.data.format.Chat;
import dev.nibble.data.format.PromptFormat;
import dev.nibble.data.format.PromptText;
import dev.nibble.data.rows.Row;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.jinja.JinjaException;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipe.Format;
import dev.nibble.recipes.recipe.RecipeException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tokens of prompts. */
final class Prompts {
  private final Recipe recipe;
  private final Formats formats;
  private final Tokenizer tokenizer;

  Prompts(Recipe recipe, Formats formats, Tokenizer tokenizer) {
    this.recipe = recipe;
    this.formats = formats;
    this.tokenizer = tokenizer;
  }

  int[] tokens(Prompt prompt) {
    return switch (prompt) {
      case Prompt.Text plain -> tokenizer.prompt(plain.text());
      case Prompt.Row row -> tokens(row);
    };
  }

  private int[] tokens(Prompt.Row asked) {
    Recipe.Dataset dataset =
        recipe.data().train().stream()
            .filter(d -> d.format() != Format.COMPLETION)
            .findFirst()
            .orElseThrow(() ->
                new RecipeException(
                    "no dataset of the recipe holds questions with answers, so there is no form to put an"
                        + " instruction and an input into; give the whole prompt"));
    SampleMaker samples = formats.samples(dataset, tokenizer);
    return samples.prompt(question(asked, dataset, samples.format()));
  }

  private static PromptText question(
      Prompt.Row asked, Recipe.Dataset dataset, PromptFormat format) {
    if (format instanceof Chat chat) {
      try {
        return new PromptText(
            chat.prompt(chat.rows().question(asked.instruction(), asked.input())), false, "");
      } catch (JinjaException e) {
        throw new RecipeException("the chat template refuses the question: " + e.getMessage());
      }
    }
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    boolean inOne = dataset.format() == Format.PROMPT_COMPLETION;
    values.put(
        dataset.columns().instruction(),
        inOne ? Conversation.request(asked.instruction(), asked.input()) : asked.instruction());
    values.put(dataset.columns().input(), asked.input());
    values.put(dataset.columns().output(), "");
    return format.question(new Row(values, "the question", 1));
  }
}
