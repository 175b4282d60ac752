package dev.nibble.api.runs;

import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.trainer.evaluation.Accuracy;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** {@code nibble eval}. */
public final class EvalRun {
  private final RunSubject subject;
  private final Recipe recipe;
  private final Wiring wiring;
  private final Output console;

  /** A measurement of {@code subject}. */
  public EvalRun(RunSubject subject, Output console) {
    this.subject = subject;
    this.recipe = subject.recipe();
    this.wiring = new Wiring(recipe);
    this.console = console;
  }

  /**
   * Measures whatever the recipe has data for.
   *
   * @param logits a file to write logits of the first samples to, for comparison with other tools
   */
  public void run(Optional<Path> logits) {
    boolean validates = !recipe.data().validation().isEmpty() || recipe.data().validationSize() > 0;
    if (!validates && recipe.evaluation().answers().isEmpty() && logits.isEmpty()) {
      throw new RecipeException(
          "there is nothing to measure with: the recipe has neither val_set_size nor test_datasets nor answer_eval");
    }
    KernelSet set = wiring.machine().kernelSet();
    try (Tokenizer tokenizer = wiring.tokenizer();
        Kernels kernels = set.open(wiring.machine().options());
        Scope memory = Scope.open("eval", kernels.memory())) {
      CausalLm model =
          wiring.modelToUse(subject.run(), wiring.batches().maxTokens(), kernels, memory);
      RunAssembly.checkVocabulary(recipe, tokenizer, model);
      if (validates) {
        wiring
            .data(tokenizer)
            .validation()
            .ifPresent(held -> {
              Objective objective = wiring.objective(kernels, memory);
              loss(RunAssembly.validation(model, objective, held, wiring).measure());
            });
      }
      if (logits.isPresent()) {
        LogitsFile.write(
            logits.get(), model, FirstSamples.of(wiring, tokenizer, model.vocabSize()));
        console.entry("logits", "saved in " + Paths.shown(logits.get()));
      }
      EndReport report = new EndReport(recipe, console);
      recipe
          .evaluation()
          .answers()
          .ifPresent(eval -> {
            AnswerEvaluation test = new AnswerEvaluation(recipe, eval, wiring.formats(), tokenizer);
            console.live("  asking %d questions…".formatted(test.size()));
            Accuracy accuracy = test.measure(model);
            report.accuracy("accuracy", accuracy);
            report.samples(accuracy);
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void loss(LossSum loss) {
    console.entry(
        "loss",
        "%s over %s tokens, perplexity %s"
            .formatted(
                Human.loss(loss.mean()),
                Human.count(loss.terms()),
                String.format(Locale.ROOT, "%.3f", Math.exp(loss.mean()))));
  }
}
