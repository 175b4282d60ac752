package dev.nibble.cli.report;

import dev.nibble.api.text.Human;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.evaluation.Accuracy;
import dev.nibble.trainer.objective.LossSum;
import java.util.Locale;

/** Measurements of a model as text. */
public final class EvaluationReport {
  private final Console console;
  private final EndReport answers;

  /** A report of a recipe's model. */
  public EvaluationReport(Recipe recipe, Console console) {
    this.console = console;
    this.answers = new EndReport(recipe, new Losses(), console);
  }

  /** Shows a validation loss. */
  public void loss(LossSum loss) {
    console.entry(
        "loss",
        "%s over %s tokens, perplexity %s"
            .formatted(
                Human.loss(loss.mean()),
                Human.count(loss.terms()),
                String.format(Locale.ROOT, "%.3f", Math.exp(loss.mean()))));
  }

  /** Shows the accuracy of answers, and some of them. */
  public void answers(Accuracy accuracy) {
    answers.accuracy("accuracy", accuracy);
    answers.samples(accuracy);
  }
}
