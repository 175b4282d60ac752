package dev.nibble.api;

import dev.nibble.adapters.PeftAdapter;
import dev.nibble.data.chat.TemplateChoice;
import dev.nibble.data.files.Datasets;
import dev.nibble.errors.Remedy;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.run.FileDigest;
import dev.nibble.trainer.run.Provenance;
import dev.nibble.trainer.run.RunException;
import dev.nibble.trainer.run.RunInput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** The files that a recipe reads, by the keys that name them. */
final class RunInputs {
  /** Decides where a generated answer ends, and nothing of what is trained. */
  private static final String GENERATION = "generation_config.json";

  private RunInputs() {}

  /** Those that decide a run's result. */
  static List<RunInput> decisive(Recipe recipe) throws IOException {
    List<RunInput> inputs = new ArrayList<>(model(recipe));
    Optional<Path> earlier =
        recipe.model().adapterSource().flatMap(Recipe.AdapterSource::continueFrom);
    if (earlier.isPresent()) {
      inputs.add(adapter(earlier.get()));
    }
    inputs.addAll(datasets("datasets", recipe.data().train()));
    return inputs;
  }

  /** Those that its result is only measured with. */
  static List<RunInput> measured(Recipe recipe) throws IOException {
    List<RunInput> inputs = new ArrayList<>(datasets("test_datasets", recipe.data().validation()));
    Optional<Recipe.AnswerEval> answers = recipe.evaluation().answers();
    if (answers.isPresent()) {
      inputs.add(dataset("answer_eval.path", answers.get().dataset()));
    }
    return inputs;
  }

  /**
   * Checks that a run's base model, its plan and its chat template are those that it was trained
   * with.
   *
   * @throws RunException naming what has changed
   */
  static void requireModelOf(Path run, Recipe recipe) {
    Optional<Provenance> provenance = Provenance.read(run);
    if (provenance.isEmpty()) {
      return; // a copy of the adapter alone, which nothing is known of
    }
    try {
      boolean ownWeights = recipe.model().adapterSource().isEmpty();
      List<String> changes =
          provenance.get().changes(model(recipe), file -> !(ownWeights && file.isWeights()));
      if (!changes.isEmpty()) {
        throw new RunException(
            "the run in %s was trained with another model than the one that is there now: %s"
                .formatted(run, String.join("; ", changes)),
            Remedy.ORIGINAL_BASE);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<RunInput> model(Recipe recipe) throws IOException {
    Path base = recipe.model().base();
    if (!Files.isDirectory(base)) {
      throw new RunException(
          "base_model: %s: there is no such folder; expected that of a model".formatted(base));
    }
    List<RunInput> inputs = new ArrayList<>();
    inputs.add(
        new RunInput("base_model", base.toString(), FileDigest.ofModel(base))
            .only(file -> !file.name().equals(GENERATION)));
    if (recipe.data().chat().template().orElse(null) instanceof TemplateChoice.InFile(Path file)) {
      if (!Files.isRegularFile(file)) {
        throw new RunException("chat_template: %s: there is no such file".formatted(file));
      }
      inputs.add(
          new RunInput(
              "chat_template",
              file.toString(),
              List.of(FileDigest.of(String.valueOf(file.getFileName()), file))));
    }
    Optional<Path> plan = recipe.model().plan();
    if (plan.isPresent()) {
      String name = String.valueOf(plan.get().getFileName());
      inputs.add(
          new RunInput(
              "quantization_plan",
              plan.get().toString(),
              List.of(FileDigest.of(name, plan.get()))));
    }
    return inputs;
  }

  private static RunInput adapter(Path folder) throws IOException {
    List<FileDigest> files = new ArrayList<>();
    for (String name : List.of(PeftAdapter.CONFIG, PeftAdapter.WEIGHTS)) {
      if (Files.exists(folder.resolve(name))) {
        files.add(FileDigest.of(name, folder.resolve(name)));
      }
    }
    return new RunInput("lora_model_dir", folder.toString(), files);
  }

  private static List<RunInput> datasets(String key, List<Recipe.Dataset> datasets)
      throws IOException {
    List<RunInput> inputs = new ArrayList<>();
    for (int i = 0; i < datasets.size(); i++) {
      inputs.add(dataset("%s.%d.path".formatted(key, i), datasets.get(i)));
    }
    return inputs;
  }

  private static RunInput dataset(String key, Recipe.Dataset dataset) throws IOException {
    Path path = dataset.path();
    Path root = path;
    while (!Files.isDirectory(root)) {
      root = Objects.requireNonNull(root.getParent(), "input paths are absolute");
    }
    List<FileDigest> files = new ArrayList<>();
    for (Path file : Datasets.files(path)) {
      files.add(FileDigest.of(root.relativize(file).toString(), file));
    }
    return new RunInput(key, path.toString(), files);
  }
}
