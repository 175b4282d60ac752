package dev.nibble.cli;

import dev.nibble.api.ExistingRunPolicy;
import dev.nibble.api.Nibble;
import dev.nibble.cli.report.RunReport;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.train.Outcome;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code nibble train}. */
@Command(
    name = "train",
    header = "Fine-tune a model with a recipe.",
    description = {
      "%nWrites the adapter (or model), checkpoints, metrics.jsonl, loss.svg and the resolved recipe into the recipe's"
          + " output_dir.",
      "Ctrl-C finishes the current step, saves a checkpoint and stops; a second Ctrl-C stops at once."
    },
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble train recipes/quickstart.yaml",
      "  nibble train my.yaml --set learning_rate=1e-4 --set output_dir=outputs/lower",
      "  nibble train my.yaml --resume"
    })
final class TrainCommand implements Callable<Integer> {
  @Mixin private RecipeArguments recipe = new RecipeArguments();

  @ArgGroup private Start start = new Start();

  /** The options for an output folder that holds a run. */
  static final class Start {
    @Option(
        names = "--resume",
        arity = "0..1",
        paramLabel = "CHECKPOINT",
        fallbackValue = "",
        description = {
          "Resume the run in output_dir from its latest checkpoint, or from CHECKPOINT.",
          "The result has the same bits as a run that was not interrupted."
        })
    @Nullable String resume;

    @Option(
        names = "--overwrite",
        description =
            "Replace the run in output_dir. It is deleted once the new one has a checkpoint.")
    boolean overwrite;

    ExistingRunPolicy chosen(Recipe read) {
      if (resume != null) {
        return new ExistingRunPolicy.Resume(
            resume.isEmpty() ? Optional.empty() : Optional.of(Path.of(resume)));
      }
      return overwrite || read.output().overwrite()
          ? new ExistingRunPolicy.Overwrite()
          : new ExistingRunPolicy.Anew();
    }
  }

  @Override
  public Integer call() {
    try (Console console = Console.standard()) {
      return train(console);
    }
  }

  private int train(Console console) {
    Interruption interruption = Interruption.install();
    Recipe read = recipe.read();
    RunReport report = new RunReport(read, console);
    Nibble nibble =
        Nibble.reportingTo(event -> {
          interruption.follow(event);
          report.accept(event);
        });
    Outcome outcome = nibble.tuner(read).train(start.chosen(read), interruption.stop());
    return switch (outcome) {
      case Outcome.Finished f -> {
        report.finished();
        yield ExitCode.OK;
      }
      case Outcome.Interrupted i -> {
        console.line("To resume:  ./nibble train " + recipe.asWritten() + " --resume");
        yield interruption.exitCode();
      }
    };
  }
}
