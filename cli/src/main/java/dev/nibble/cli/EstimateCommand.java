package dev.nibble.cli;

import dev.nibble.api.Nibble;
import dev.nibble.api.estimate.Estimate;
import dev.nibble.cli.report.EstimateReport;
import dev.nibble.cli.report.RunReport;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code nibble estimate}. */
@Command(
    name = "estimate",
    header = "Estimate the memory and time that a run will need.",
    description = {
      "%nCounts what the run would allocate. Reads config.json, the headers of the model's files and the rows, but no"
          + " weights. The time is the number of matrix operations divided by the speed measured on this machine."
    },
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble estimate my.yaml",
      "  nibble estimate my.yaml --set sequence_len=2048 --memory 16GiB --json"
    })
final class EstimateCommand implements Callable<Integer> {
  @Mixin private RecipeArguments recipe = new RecipeArguments();

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = ByteSize.Converter.class,
      description =
          "Memory that the run may use, such as 16GiB, instead of what is free on this machine.")
  private @Nullable ByteSize memory;

  @Option(names = "--json", description = "Print one line of JSON and nothing else.")
  private boolean json;

  @Override
  public Integer call() {
    try (Console console = Console.standard()) {
      estimate(console);
    }
    return ExitCode.OK;
  }

  private void estimate(Console console) {
    Recipe read = recipe.read();
    Nibble nibble = json ? Nibble.silent() : Nibble.reportingTo(new RunReport(read, console));
    Estimate estimate =
        memory == null ? nibble.estimate(read) : nibble.estimate(read, memory.bytes());
    if (json) {
      console.line(estimate.json());
    } else {
      new EstimateReport(read, console).show(estimate);
    }
  }
}
