package dev.nibble.cli;

import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A recipe and what overrides it. */
final class RecipeArguments {
  @Parameters(paramLabel = "RECIPE", description = "The recipe, a YAML file.")
  private Path file = Path.of("");

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = {
        "Override a key of the recipe; may be given several times.",
        "Nested keys are dotted, list entries numbered: --set datasets.0.path=rows.jsonl"
      })
  private List<String> overrides = new ArrayList<>();

  @Mixin private ThreadsOption threads = new ThreadsOption();

  Recipe read() {
    return Recipes.read(file, threads.with(overrides));
  }

  /** The arguments as one would write them in a shell. */
  String asWritten() {
    StringBuilder s = new StringBuilder(quoted(file.toString()));
    threads.with(overrides).forEach(o -> s.append(" --set ").append(quoted(o)));
    return s.toString();
  }

  private static String quoted(String argument) {
    return argument.matches("[A-Za-z0-9_./=:@%+,-]+")
        ? argument
        : "'" + argument.replace("'", "'\\''") + "'";
  }
}
