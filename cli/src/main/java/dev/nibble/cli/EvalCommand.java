package dev.nibble.cli;

import dev.nibble.api.runs.EvalRun;
import dev.nibble.cli.terminal.Console;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code nibble eval}. */
@Command(
    name = "eval",
    header = "Measure a run, or the model that a recipe starts from.",
    description = {
      "%nMeasures the validation loss (val_set_size or test_datasets) and the accuracy of generated answers"
          + " (answer_eval), whichever the recipe has."
    },
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble eval outputs/quickstart",
      "  nibble eval outputs/quickstart --set answer_eval.limit=100"
    })
final class EvalCommand implements Callable<Integer> {
  @Mixin private RunArguments run = new RunArguments();

  @Option(
      names = "--save-logits",
      paramLabel = "FILE",
      description =
          "Also save tokens, positions, targets and logits of the first samples (some 512 tokens) to a safetensors file, "
              + "to compare the model with other tools.")
  private @Nullable Path logits;

  @Override
  public Integer call() {
    new EvalRun(run.read(), Console.standard()).run(Optional.ofNullable(logits));
    return ExitCode.OK;
  }
}
