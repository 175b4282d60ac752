package dev.nibble.cli.report;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.api.event.Event;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipe.AdapterSource;
import dev.nibble.trainer.train.TrainingPlan;
import java.util.Locale;

/** The lines before a run's first step. */
final class StartReport {
  private final Recipe recipe;
  private final Console console;

  StartReport(Recipe recipe, Console console) {
    this.recipe = recipe;
    this.console = console;
  }

  void kernels(Event.KernelsOpened e) {
    entry("kernels", e.description());
  }

  void data(Event.DataRead e) {
    entry("data", e.train().summary());
    e.train().bad().sentences().forEach(sentence -> entry("bad rows", sentence));
    e.train().shortfalls().sentences().forEach(sentence -> entry("note", sentence));
    e.validation()
        .ifPresent(held -> {
          entry("validation", held.summary());
          held.bad().sentences().forEach(sentence -> entry("bad rows", sentence));
        });
    recipe.data().train().stream()
        .filter(StartReport::promptMayMerge)
        .forEach(d ->
            entry(
                "note",
                "datasets.%d.prompt ends in a space, which many tokenizers join with the answer's first word: the model would be asked with other tokens than it learned from. End it in a line break or in text."
                    .formatted(recipe.data().train().indexOf(d))));
  }

  private static boolean promptMayMerge(Recipe.Dataset dataset) {
    return dataset.prompt().filter(prompt -> prompt.text().endsWith(" ")).isPresent();
  }

  /** The chat template, and at which token an answer ends. */
  void template(Event.TemplateFound e) {
    String stops =
        e.stopToken()
            .map(token -> "an answer ends with " + token)
            .orElseGet(() ->
                "it ends an answer with '%s', which holds no special token of the tokenizer, so that generation may not stop there"
                    .formatted(e.endOfAnswer().strip().replace("\n", "\\n")));
    entry("template", e.source() + "; " + stops);
    if (!e.endLearned()) {
      entry(
          "warning",
          "the {%% generation %%} of this template leaves out the '%s' that ends an answer, so the model does not learn to stop. Write the end inside the block, or use a template without generation blocks"
              .formatted(e.endOfAnswer().strip().replace("\n", "\\n")));
    }
  }

  void questions(Event.QuestionsRead e) {
    entry("test", Human.count(e.count()) + " questions");
  }

  void model(Event.ModelFound e) {
    entry("model", Paths.shown(e.folder()) + ", " + weights(e));
  }

  private String weights(Event.ModelFound e) {
    String count = Human.count(e.weights()) + " weights";
    if (recipe.model().init() == Recipe.InitWeights.RANDOM) {
      return count + ", random to begin with";
    }
    return count
        + recipe.model().quantization().map(f -> ", linear layers in " + f.describe()).orElse("")
        + (e.quantized() ? ", as the base has them" : "");
  }

  void prepared(Event.RunPrepared e) {
    trains(e.trainedWeights(), e.modelWeights());
    entry("memory", Human.bytes(e.bytes()) + " in tensors");
    e.bytesByGroup().forEach(console::bytes);
    layers(e.layers());
    recipe
        .optimization()
        .pagedMemory()
        .ifPresent(bytes ->
            entry(
                "pages",
                "%s of optimizer state, of which at most %s stay here"
                    .formatted(Human.bytes(e.optimizerBytes()), Human.bytes(bytes))));
    plan(e.plan(), e.step());
  }

  /** Which layers keep their activations. */
  void layers(Event.LayersChosen e) {
    entry("layers", e.checkpointing().describe(e.layers()));
  }

  private void trains(long trained, long weights) {
    entry(
        "trains",
        recipe
            .model()
            .adapterSource()
            .map(adapter ->
                "%s weights in adapters (%s of the model), %s"
                    .formatted(
                        Human.count(trained),
                        Human.percent((double) trained / weights),
                        described(adapter)))
            .orElseGet(() -> "all weights"));
  }

  private static String described(AdapterSource adapter) {
    return switch (adapter) {
      case AdapterSource.New(AdapterSpec spec) -> spec.describe();
      case AdapterSource.Continued earlier -> "continued from " + Paths.shown(earlier.folder());
    };
  }

  private void plan(TrainingPlan plan, Event.StepSize step) {
    entry(
        "plan",
        "%s steps of %s samples and %s tokens on average%s, learning rate %s, %s"
            .formatted(
                Human.count(plan.steps()),
                average(step.samples()),
                average(step.tokens()),
                plan.accumulation() == 1
                    ? ""
                    : " in %s micro-batches".formatted(average(step.microBatches())),
                Human.rate(recipe.optimization().learningRate().peak()),
                recipe.optimization().learningRate().schedule().name().toLowerCase(Locale.ROOT)));
  }

  private static String average(double value) {
    return value < 10 && value % 1 != 0
        ? String.format(Locale.ROOT, "%.1f", value)
        : Human.count(Math.round(value));
  }

  private void entry(String name, String text) {
    console.entry(name, text);
  }
}
