package dev.nibble.cli;

import dev.nibble.api.Model;
import dev.nibble.api.ModelSource;
import dev.nibble.api.Nibble;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.report.Activities;
import dev.nibble.cli.report.EvaluationReport;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.trainer.evaluation.Accuracy;
import java.io.IOException;
import java.io.UncheckedIOException;
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
    header = "Evaluate a trained model, or the base model of a recipe.",
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
          "Also save tokens, positions, targets and logits of the first samples (about 512 tokens) to a safetensors file, "
              + "for comparison with other tools.")
  private @Nullable Path logits;

  @Option(
      names = "--save-answers",
      paramLabel = "FILE",
      description =
          "Also save prompt, expected and generated answer of each question (answer_eval) to a .jsonl file.")
  private @Nullable Path answers;

  @Override
  public Integer call() {
    try (Console console = Console.standard()) {
      measure(console);
    }
    return ExitCode.OK;
  }

  private void measure(Console console) {
    ModelSource source = run.read();
    Recipe recipe = source.recipe();
    boolean validates = !recipe.data().validation().isEmpty() || recipe.data().validationSize() > 0;
    if (!validates && recipe.evaluation().answers().isEmpty() && logits == null) {
      throw new RecipeException(
          "there is nothing to measure: the recipe has no val_set_size, no test_datasets and no answer_eval; add one, or give one with --set");
    }
    if (answers != null && recipe.evaluation().answers().isEmpty()) {
      throw new RecipeException(
          "--save-answers: the recipe has no answer_eval, so there are no questions; add it, or give it with --set");
    }
    Nibble nibble = Nibble.reportingTo(event -> Activities.show(event, console));
    EvaluationReport report = new EvaluationReport(recipe, console);
    try (Model model = nibble.open(source)) {
      model.validationLoss().ifPresent(report::loss);
      if (logits != null) {
        model.saveLogits(logits);
        console.entry("logits", "saved in " + Paths.shown(logits));
      }
      Optional<Accuracy> accuracy = model.answerAccuracy();
      accuracy.ifPresent(report::answers);
      if (answers != null) {
        save(accuracy.orElseThrow(), answers);
        console.entry("answers", "saved in " + Paths.shown(answers));
      }
    }
  }

  private static void save(Accuracy accuracy, Path file) {
    try {
      accuracy.saveAnswers(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
