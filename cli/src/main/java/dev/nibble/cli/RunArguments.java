package dev.nibble.cli;

import dev.nibble.api.runs.RunSubject;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.recipes.recipe.Recipes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The folder of a run, or a recipe, and what overrides its keys. */
final class RunArguments {
  @Parameters(
      paramLabel = "RUN",
      description =
          "Folder of a run: its model with what it learned. Or a recipe: the model that it starts from.")
  private Path place = Path.of("");

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a key of the recipe; may be given several times.")
  private List<String> overrides = new ArrayList<>();

  @Mixin private ThreadsOption threads = new ThreadsOption();

  RunSubject read() {
    if (!Files.isDirectory(place)) {
      return new RunSubject(Recipes.read(place, threads.with(overrides)), Optional.empty());
    }
    Path file = place.resolve("recipe.resolved.yaml");
    if (!Files.isRegularFile(file)) {
      throw new RecipeException(
          place
              + ": holds no recipe.resolved.yaml, so it is no run; expected the output_dir of one, or a recipe");
    }
    Recipe recipe = Recipes.read(file, threads.with(overrides));
    return new RunSubject(recipe, Optional.of(place.toAbsolutePath().normalize()));
  }
}
