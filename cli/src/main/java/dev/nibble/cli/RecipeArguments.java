package dev.nibble.cli;

import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A recipe and overrides of its keys. */
final class RecipeArguments {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee = CommandSpec.create();

  @Parameters(paramLabel = "RECIPE", description = "The recipe, a YAML file.")
  private Path file = Path.of("");

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = {
        "Override a key of the recipe; can be repeated.",
        "Nested keys have dots and list entries numbers: --set datasets.0.path=rows.jsonl"
      })
  private List<String> overrides = new ArrayList<>();

  @Mixin private ThreadsOption threads = new ThreadsOption();

  /** Reads the recipe; keys of other tools that are ignored are named on standard error. */
  Recipe read() {
    return Recipes.read(
        file, threads.with(overrides), note -> mixee.commandLine().getErr().println(note));
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
