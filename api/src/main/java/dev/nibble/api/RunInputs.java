package dev.nibble.api;

import dev.nibble.data.chat.TemplateChoice;
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
import java.util.Optional;
import java.util.stream.Stream;

/** The files that a recipe reads, by the keys that name them. */
final class RunInputs {
  /** Decides where a generated answer ends, and nothing of what is trained. */
  private static final String GENERATION = "generation_config.json";

  private RunInputs() {}

  /** Those that decide a run's result. */
  static List<RunInput> decisive(Recipe recipe) throws IOException {
    List<RunInput> inputs = new ArrayList<>(model(recipe));
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
   * Checks that a run's base model and chat template are those that it was trained with.
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
    List<RunInput> inputs = new ArrayList<>();
    inputs.add(
        new RunInput("base_model", base.toString(), FileDigest.ofModel(base))
            .only(file -> !file.name().equals(GENERATION)));
    if (recipe.data().chat().template().orElse(null) instanceof TemplateChoice.InFile(Path file)) {
      inputs.add(
          new RunInput(
              "chat_template",
              file.toString(),
              List.of(FileDigest.of(String.valueOf(file.getFileName()), file))));
    }
    return inputs;
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
    List<FileDigest> files = new ArrayList<>();
    if (Files.isDirectory(path)) {
      try (Stream<Path> all = Files.walk(path)) {
        for (Path file : all.filter(Files::isRegularFile).sorted().toList()) {
          files.add(FileDigest.of(path.relativize(file).toString(), file));
        }
      }
    } else if (Files.exists(path)) {
      files.add(FileDigest.of(String.valueOf(path.getFileName()), path));
    }
    return new RunInput(key, path.toString(), files);
  }
}
