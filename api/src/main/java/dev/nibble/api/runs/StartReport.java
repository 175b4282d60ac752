package dev.nibble.api.runs;

import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.ModuleChoice;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipe.Lora;
import dev.nibble.recipes.yaml.YamlText;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.model.config.ModelShape;
import dev.nibble.trainer.train.TrainingPlan;
import java.util.List;
import java.util.Locale;

/** What a run says before its first step. */
final class StartReport {
  private final Recipe recipe;
  private final Output console;

  StartReport(Recipe recipe, Output console) {
    this.recipe = recipe;
    this.console = console;
  }

  void machine(String asked, KernelSet set) {
    entry("kernels", KernelSets.describe(asked, set));
  }

  void data(RunData data) {
    entry("data", data.train().report().summary());
    data.validation().ifPresent(held -> entry("validation", held.report().summary()));
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
  void chat(Formats formats, Tokenizer tokenizer) {
    formats
        .template()
        .ifPresent(template -> {
          EndOfTurn end = EndOfTurn.of(template, tokenizer);
          String written = "'" + end.text().strip().replace("\n", "\\n") + "'";
          String stops =
              end.token().isPresent()
                  ? "an answer ends with "
                      + tokenizer.decode(new int[] {end.token().getAsInt()}, false)
                  : "it ends an answer with %s, which holds no special token of the tokenizer, so that generation may not stop there"
                      .formatted(written);
          entry("template", template.source() + "; " + stops);
        });
  }

  void answers(AnswerEvaluation test) {
    entry("test", Human.count(test.size()) + " questions");
  }

  void model(long weights) {
    entry("model", Paths.shown(recipe.model().base()) + ", " + weightsSummary(weights));
  }

  private String weightsSummary(long weights) {
    String count = Human.count(weights) + " weights";
    if (recipe.model().init() == Recipe.InitWeights.RANDOM) {
      return count + ", random to begin with";
    }
    boolean stored = ModelLoader.storedFormat(recipe.model().base()).isPresent();
    return count
        + recipe.model().quantization().map(f -> ", linear layers in " + f.describe()).orElse("")
        + (stored ? ", as the base has them" : "");
  }

  void trains(long trained, long weights) {
    entry(
        "trains",
        recipe
            .model()
            .lora()
            .map(lora ->
                "%s weights in adapters (%s of the model), %s"
                    .formatted(
                        Human.count(trained),
                        Human.percent((double) trained / weights),
                        lora(lora)))
            .orElseGet(() -> "all weights"));
  }

  private static String lora(Lora lora) {
    return switch (lora) {
      case Lora.New(LoraSpec spec) -> described(spec);
      case Lora.Continued earlier -> "continued from " + Paths.shown(earlier.folder());
    };
  }

  private static String described(LoraSpec lora) {
    return "%s r %d, alpha %s, on %s"
        .formatted(
            lora.dora() ? "DoRA" : "LoRA",
            lora.ranks().r(),
            YamlText.inline(lora.ranks().alpha()),
            switch (lora.targets().chosen()) {
              case ModuleChoice.AllLinear _ -> "all linear layers";
              case ModuleChoice.Named(List<String> names) -> String.join(", ", names);
              case ModuleChoice other -> other.written();
            });
  }

  void memory(Scope scope) {
    entry("memory", Human.bytes(scope.bytes()) + " in tensors");
    scope
        .groups()
        .forEach((group, bytes) ->
            console.line(
                console.faint("             %-22s %10s".formatted(group, Human.bytes(bytes)))));
  }

  /** Which layers keep their activations. */
  void checkpointing(Checkpointing checkpointing) {
    entry("layers", checkpointing.describe(ModelShape.read(recipe.model().base()).layers()));
  }

  /** Where a paged optimizer's state is. */
  void pages(long stateBytes) {
    recipe
        .optimization()
        .pagedMemory()
        .ifPresent(bytes ->
            entry(
                "pages",
                "%s of optimizer state, of which at most %s stay here"
                    .formatted(Human.bytes(stateBytes), Human.bytes(bytes))));
  }

  void plan(TrainingPlan plan) {
    entry(
        "plan",
        "%s steps of %d × %s tokens, learning rate %s, %s"
            .formatted(
                Human.count(plan.steps()),
                plan.accumulation(),
                Human.count(
                    (long) recipe.training().microBatchSize() * recipe.data().sequenceLength()),
                Human.rate(recipe.optimization().learningRate().peak()),
                recipe.optimization().learningRate().schedule().name().toLowerCase(Locale.ROOT)));
  }

  private void entry(String name, String text) {
    console.entry(name, text);
  }
}
