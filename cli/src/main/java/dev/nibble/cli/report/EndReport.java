package dev.nibble.cli.report;

import dev.nibble.api.event.Event;
import dev.nibble.api.machine.ResidentMemory;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.terminal.Console;
import dev.nibble.cli.terminal.StyledText;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.evaluation.Accuracy;
import dev.nibble.trainer.evaluation.Answer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The lines after a run's last step. */
final class EndReport {
  private static final int SAMPLES = 5;
  private static final int WIDEST = 72;
  private static final int INDENT = 6;
  private static final int CURVE = 40;

  /** Columns of a line that shows the curve, besides its blocks. */
  private static final int BESIDE_CURVE = 32;

  private final Recipe recipe;
  private final Losses losses;
  private final Console console;
  private final long start = System.nanoTime();
  private Optional<Accuracy> after = Optional.empty();
  private Optional<Event.ResultSaved> result = Optional.empty();

  EndReport(Recipe recipe, Losses losses, Console console) {
    this.recipe = recipe;
    this.losses = losses;
    this.console = console;
  }

  void accuracy(Event.AnswersMeasured e) {
    accuracy(e.occasion().name().toLowerCase(Locale.ROOT), e.accuracy());
    if (e.occasion() == Event.Occasion.AFTER) {
      after = Optional.of(e.accuracy());
    }
  }

  void accuracy(String of, Accuracy accuracy) {
    console.entry(
        of,
        "%s of %s answers right%s"
            .formatted(
                Human.percent(accuracy.accuracy()),
                Human.count(accuracy.total()),
                accuracy.detail() instanceof Accuracy.FreeText(double f1)
                    ? ", token F1 " + Human.percent(f1)
                    : ""));
  }

  /** The course of the training loss in one line, where a person looks at it. */
  void course() {
    String curve = losses.curve(Math.min(CURVE, console.width() - BESIDE_CURVE));
    if (console.isTerminal() && !curve.isEmpty()) {
      console.entry(
          "loss",
          "%s %s %s"
              .formatted(
                  Human.loss(losses.training().getFirst()),
                  curve,
                  Human.loss(losses.training().getLast())));
    }
  }

  void saved(Event.ResultSaved e) {
    result = Optional.of(e);
  }

  /**
   * Which weights were saved, where that are not those of the lowest validation loss, or need not
   * be.
   */
  private void best(Event.ResultSaved saved) {
    if (saved.best().isNone()) {
      return;
    }
    String best =
        "validation loss %s after step %s"
            .formatted(Human.loss(saved.best().loss()), Human.count(saved.best().step()));
    if (saved.step() == saved.best().step()) {
      console.sentence("Its weights are the best of the run: " + best + ".");
    } else {
      String checkpoint = Paths.shown(saved.folder().resolve("checkpoint-" + saved.best().step()));
      console.sentence(
          new StyledText()
              .plain(
                  "Its weights are the last of the run, after step %s. The best, %s, are in "
                      .formatted(Human.count(saved.step()), best))
              .bold(checkpoint)
              .plain("; load_best_model_at_end: true makes them the result."));
    }
    losses
        .start()
        .ifPresent(loss ->
            console.sentence("Before training the validation loss was " + Human.loss(loss) + "."));
  }

  void samples(Accuracy accuracy) {
    console.line("");
    List<Answer> answers = accuracy.samples(SAMPLES);
    List<String> questions =
        Questions.distinctParts(answers.stream().map(Answer::question).toList());
    int width = Math.min(WIDEST, console.width() - INDENT);
    for (int i = 0; i < answers.size(); i++) {
      Answer answer = answers.get(i);
      console.line(
          new StyledText().plain("  ").faint(Questions.shortened(questions.get(i), width)));
      StyledText given =
          new StyledText()
              .plain("    → ")
              .bold(Questions.shortened(answer.given(), width))
              .plain("  (");
      if (answer.isRight()) {
        given.green("right");
      } else {
        given.plain(
            wrong(answer, accuracy.detail()) + Questions.shortened(answer.expected(), width));
      }
      console.line(given.plain(")"));
    }
  }

  /** An answer in other words is less wrong than one about something else. */
  private static String wrong(Answer answer, Accuracy.Detail detail) {
    return switch (detail) {
      case Accuracy.Labels labels -> "wrong, expected ";
      case Accuracy.FreeText text -> "F1 %s, expected ".formatted(Human.percent(answer.f1()));
    };
  }

  void finished() {
    after.ifPresent(this::samples);
    Path folder = recipe.output().folder();
    String shown = Paths.shown(folder);
    console.line("");
    console.sentence(
        new StyledText()
            .plain(recipe.model().adapterSource().isPresent() ? "Adapter" : "Model")
            .plain(" saved in ")
            .bold(shown)
            .plain(", with metrics.jsonl")
            .plain(
                after.isPresent() ? ", loss.svg, eval.json and answers.jsonl." : " and loss.svg."));
    result.ifPresent(this::best);
    console.line("Total time: " + Human.duration((System.nanoTime() - start) / 1e9) + ".");
    ResidentMemory.peak()
        .ifPresent(
            bytes -> console.line("Peak memory of the process: " + Human.bytes(bytes) + "."));
    console.line("Try it:  ./nibble generate " + shown + " " + example());
  }

  private String example() {
    return switch (recipe.data().train().getFirst().format()) {
      case ALPACA, PROMPT_COMPLETION, CHAT_TEMPLATE, MESSAGES, SHAREGPT -> "--input \"…\"";
      case COMPLETION -> "--prompt \"…\"";
    };
  }
}
