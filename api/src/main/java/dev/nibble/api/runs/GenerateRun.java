package dev.nibble.api.runs;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.format.Chat;
import dev.nibble.data.format.PromptFormat;
import dev.nibble.data.format.Question;
import dev.nibble.data.rows.Row;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.jinja.JinjaException;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipe.Format;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.trainer.generate.Generator;
import dev.nibble.trainer.generate.Sampler;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Decoder;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code nibble generate}. */
public final class GenerateRun {

  /** What to continue. */
  public sealed interface Prompt {
    /** This text. */
    record Plain(String text) implements Prompt {}

    /** The prompt that the recipe makes of such a row, or of a user who says this. */
    record AsRow(String instruction, String input) implements Prompt {}
  }

  /**
   * What is asked for.
   *
   * @param prompt to continue
   * @param maxNewTokens the most tokens to generate
   * @param sampler chooses them
   * @param seed of what it draws
   */
  public record Request(Prompt prompt, int maxNewTokens, Sampler sampler, long seed) {}

  private final RunSubject subject;
  private final Recipe recipe;
  private final Wiring wiring;
  private final Output console;

  /** A generation with {@code subject}. */
  public GenerateRun(RunSubject subject, Output console) {
    this.subject = subject;
    this.recipe = subject.recipe();
    this.wiring = new Wiring(recipe);
    this.console = console;
  }

  /** Generates, showing text as it comes. */
  public void run(Request request) {
    try (Tokenizer tokenizer = wiring.tokenizer();
        Kernels kernels = wiring.machine().kernelSet().open(wiring.machine().options());
        Scope memory = Scope.open("generate", kernels.memory())) {
      int[] prompt = tokens(request.prompt(), tokenizer);
      if (prompt.length == 0) {
        throw new RecipeException(
            "the prompt is empty, and this tokenizer begins it with no token");
      }
      int pass = Math.min(prompt.length, wiring.batches().maxTokens());
      CausalLm model = wiring.modelToUse(subject.run(), pass, kernels, memory);
      RunAssembly.checkVocabulary(recipe, tokenizer, model);
      try (Decoder decoder = model.decoder(1, prompt.length + request.maxNewTokens())) {
        StreamingDecoder text = new StreamingDecoder(tokenizer);
        new Generator(
                decoder, request.sampler(), request.seed(), wiring.formats().stopTokens(tokenizer))
            .generate(prompt, request.maxNewTokens(), (p, token) -> console.part(text.add(token)));
        console.line(text.rest());
      }
    }
  }

  private int[] tokens(Prompt prompt, Tokenizer tokenizer) {
    return switch (prompt) {
      case Prompt.Plain plain -> tokenizer.prompt(plain.text());
      case Prompt.AsRow row -> asRow(row, tokenizer);
    };
  }

  private int[] asRow(Prompt.AsRow asked, Tokenizer tokenizer) {
    Recipe.Dataset dataset =
        recipe.data().train().stream()
            .filter(d -> d.format() != Format.COMPLETION)
            .findFirst()
            .orElseThrow(() ->
                new RecipeException(
                    "--instruction and --input need a recipe with a dataset of type alpaca or with conversations; use"
                        + " --prompt"));
    SampleMaker samples = wiring.formats().samples(dataset, tokenizer);
    return samples.prompt(question(asked, dataset, samples.format()));
  }

  private static Question question(
      Prompt.AsRow asked, Recipe.Dataset dataset, PromptFormat format) {
    if (format instanceof Chat chat) {
      try {
        return new Question(
            chat.prompt(chat.rows().question(asked.instruction(), asked.input())), false, "");
      } catch (JinjaException e) {
        throw new RecipeException("the chat template refuses the question: " + e.getMessage());
      }
    }
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put(dataset.columns().instruction(), asked.instruction());
    values.put(dataset.columns().input(), asked.input());
    values.put(dataset.columns().output(), "");
    return format.question(new Row(values, "the command line", 1));
  }
}
