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
          "Folder of a run, or of a checkpoint in it: what it trained. Or a recipe: the model that it starts from.")
  private Path place = Path.of("");

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a key of the recipe; may be given several times.")
  private List<String> overrides = new ArrayList<>();

  @Mixin private ThreadsOption threads = new ThreadsOption();

  ModelSource read() {
    if (!Files.isDirectory(place)) {
      return ModelSource.untrained(Recipes.read(place, threads.with(overrides)));
    }
    ModelSource source = ModelSource.tuned(place, threads.with(overrides));
    source
        .run()
        .filter(weights -> !weights.equals(place.toAbsolutePath().normalize()))
        .ifPresent(checkpoint ->
            System.err.println(
                "The run has not finished; using its weights in "
                    + checkpoint.getFileName()
                    + "."));
    return source;
  }
}
