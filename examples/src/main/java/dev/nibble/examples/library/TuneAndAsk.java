package dev.nibble.examples.library;

import dev.nibble.api.Model;
import dev.nibble.api.ModelSource;
import dev.nibble.api.Nibble;
import dev.nibble.api.Prompt;
import dev.nibble.api.Sampling;
import dev.nibble.api.event.Event;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeBuilder;
import java.nio.file.Path;
import java.util.Map;

/**
 * Tunes the shipped base on some of the shipped data, then asks it: {@code TuneAndAsk WORDNET OUT}.
 */
public final class TuneAndAsk {
  private TuneAndAsk() {}

  public static void main(String[] args) {
    Path wordnet = Path.of(args[0]); // examples/wordnet
    Recipe recipe =
        RecipeBuilder.on(wordnet.resolve("base"))
            .qlora(16)
            .dataset(
                wordnet.resolve("data/categories"),
                "alpaca",
                Map.of("split", "train", "limit", 2000, "prompt", "{input}\n{instruction}\n"))
            .sequenceLength(256)
            .batch(4, 1)
            .steps(60)
            .learningRate(3e-3)
            .output(Path.of(args[1]))
            .build();
    Nibble nibble = Nibble.reportingTo(TuneAndAsk::show);
    nibble.tuner(recipe).train();
    try (Model model = nibble.open(ModelSource.tuned(recipe))) {
      Prompt question = new Prompt.Row("Which category?", "a large feline of tropical America");
      System.out.println(model.generate(question, Sampling.greedy().upTo(8)));
    }
  }

  private static void show(Event event) {
    if (event instanceof Event.LoopReport(var report)) {
      System.out.println(report);
    }
  }
}
