package dev.nibble.cli;

import dev.nibble.api.runs.Estimate;
import dev.nibble.api.runs.EstimateRun;
import dev.nibble.cli.terminal.Console;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code nibble estimate}. */
@Command(
    name = "estimate",
    header = "Say what memory and time a recipe will take, before it does.",
    description = {
      "%nCounts what the run would allocate, by building it without memory; reads config.json, the headers of the"
          + " model's files, and the rows, and no weights. The time is an estimate: operations of the matrix products"
          + " over what they reach here, measured."
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
      description = "What the run may take, such as 16GiB, instead of what is free here.")
  private @Nullable ByteSize memory;

  @Option(names = "--json", description = "Print one line of JSON and nothing else.")
  private boolean json;

  @Override
  public Integer call() {
    Console silent = new Console(new PrintStream(OutputStream.nullOutputStream()), false, false);
    Console console = Console.standard();
    OptionalLong bytes = memory == null ? OptionalLong.empty() : OptionalLong.of(memory.bytes());
    Estimate estimate = new EstimateRun(recipe.read(), bytes, json ? silent : console).run();
    if (json) {
      console.line(estimate.json());
    }
    return ExitCode.OK;
  }
}
