package dev.nibble.cli;

import dev.nibble.api.Nibble;
import dev.nibble.cli.report.PreviewReport;
import dev.nibble.cli.report.RunReport;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code nibble preview}. */
@Command(
    name = "preview",
    header = "Show training samples exactly as the model sees them.",
    description = {
      "%nDecodes the tokens of the first samples and shows which part is trained on: green and bold on a terminal, between"
          + " [[ and ]] elsewhere. Then says where the chat template comes from, how many rows there are, how many tokens,"
          + " and what is left out. Loads no weights."
    },
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {"", "Example:", "  nibble preview recipes/quickstart.yaml -n 5"})
final class PreviewCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private RecipeArguments recipe = new RecipeArguments();

  @Option(
      names = {"-n", "--samples"},
      paramLabel = "N",
      defaultValue = "3",
      description = "Samples to show (default ${DEFAULT-VALUE}).")
  private int samples;

  @Option(
      names = "--tokens",
      description =
          "Show each token on a line of its own: its id, whether it is trained on, its text.")
  private boolean tokens;

  @Override
  public Integer call() {
    Arguments.atLeast(spec, "--samples", samples, 1);
    try (Console console = Console.standard()) {
      Recipe read = recipe.read();
      Nibble.reportingTo(new RunReport(read, console))
          .preview(read)
          .read(samples, new PreviewReport(console, tokens));
    }
    return ExitCode.OK;
  }
}
