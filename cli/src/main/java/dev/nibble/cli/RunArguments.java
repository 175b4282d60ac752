package dev.nibble.cli;

import dev.nibble.api.ModelSource;
import dev.nibble.recipes.recipe.Recipes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The folder of a run, or a recipe, and overrides of its keys. */
final class RunArguments {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee = CommandSpec.create();

  @Parameters(
      paramLabel = "RUN",
      description =
          "Folder of a run, or of a checkpoint in it: what it trained. Or a recipe: the model that it starts from.")
  private Path place = Path.of("");

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a key of the recipe; can be repeated.")
  private List<String> overrides = new ArrayList<>();

  @Mixin private ThreadsOption threads = new ThreadsOption();

  ModelSource read() {
    if (!Files.isDirectory(place)) {
      return ModelSource.untrained(
          Recipes.read(
              place, threads.with(overrides), note -> mixee.commandLine().getErr().println(note)));
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
