package dev.nibble.cli;

import dev.nibble.api.ModelSource;
import dev.nibble.recipes.recipe.Recipes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The folder of a run, or a recipe, and what overrides its keys. */
final class RunArguments {
  @Parameters(
      paramLabel = "RUN",
      description =
          "Folder of a run: its trained model. Or a recipe: the model that it starts from.")
  private Path place = Path.of("");

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a key of the recipe; may be given several times.")
  private List<String> overrides = new ArrayList<>();

  @Mixin private ThreadsOption threads = new ThreadsOption();

  ModelSource read() {
    return Files.isDirectory(place)
        ? ModelSource.tuned(place, threads.with(overrides))
        : ModelSource.untrained(Recipes.read(place, threads.with(overrides)));
  }
}
