package dev.nibble.cli.report;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.api.event.Event;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipe.AdapterSource;
import dev.nibble.trainer.train.TrainingPlan;
import java.util.List;
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
    entry("kernels", kernels(e.description(), e.skipped()));
  }

  /** A kernel set, and that a GPU would have been taken if one could be used. */
  static String kernels(String description, List<String> skipped) {
    return skipped.contains("cuda")
        ? description + "; no usable NVIDIA GPU (nibble doctor says why)"
        : description;
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
                "datasets.%d.prompt ends in a space. Many tokenizers join it with the first word of the answer, so that generation would start from other tokens than training did. End the prompt in a line break or in text."
                    .formatted(recipe.data().train().indexOf(d))));
  }

  private static boolean promptMayMerge(Recipe.Dataset dataset) {
    return dataset.prompt().filter(prompt -> prompt.text().endsWith(" ")).isPresent();
  }

  /** The chat template, and at which token an answer ends. */
  void template(Event.TemplateFound e) {
    String stops =
        e.stopToken()
            .map(token -> "answers end with " + token)
            .orElseGet(() ->
                "answers end with '%s', which is not a special token of this tokenizer, so generation may not stop"
                    .formatted(e.endOfAnswer().strip()));
    String calls = e.stopTokenOfCalls().map(token -> ", tool calls with " + token).orElse("");
    entry("template", e.source() + "; " + stops + calls);
    if (!e.endLearned()) {
      entry(
          "warning",
          "the {%% generation %%} of this template leaves out the '%s' that ends an answer, so the model does not learn to stop. Write the end inside the block, or use a template without generation blocks"
              .formatted(e.endOfAnswer().strip()));
    }
  }

  void questions(Event.QuestionsRead e) {
    entry("test", Human.counted(e.count(), "question"));
  }

  void model(Event.ModelFound e) {
    entry("model", Paths.shown(e.folder()) + ", " + weights(e));
  }

  private String weights(Event.ModelFound e) {
    String count = Human.count(e.weights()) + " weights";
    if (recipe.model().init() == Recipe.InitWeights.RANDOM) {
      return count + ", with random initial values";
    }
    return count
        + recipe.model().quantization().map(f -> ", linear layers in " + f.describe()).orElse("")
        + (e.quantized() ? ", as stored" : "");
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
                "%s of optimizer state, at most %s of it in memory"
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
        "%s of %s samples and %s tokens on average%s, learning rate %s, %s"
            .formatted(
                Human.counted(plan.steps(), "step"),
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
