package dev.nibble.cli.report;

import dev.nibble.api.event.Event;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import java.util.function.Consumer;

/** The events of {@code train}, {@code estimate} and {@code preview} as text. */
public final class RunReport implements Consumer<Event> {
  private final Console console;
  private final StartReport start;
  private final Losses losses = new Losses();
  private final TrainingProgress progress;
  private final EndReport end;

  /** A report of a recipe's run. */
  public RunReport(Recipe recipe, Console console) {
    this.console = console;
    this.start = new StartReport(recipe, console);
    this.progress = new TrainingProgress(console, recipe.output().loggingSteps());
    this.end = new EndReport(recipe, losses, console);
  }

  @Override
  public void accept(Event event) {
    switch (event) {
      case Event.KernelsOpened e -> start.kernels(e);
      case Event.TemplateFound e -> start.template(e);
      case Event.DataRead e -> start.data(e);
      case Event.QuestionsRead e -> start.questions(e);
      case Event.ModelFound e -> start.model(e);
      case Event.LayersChosen e -> start.layers(e);
      case Event.RunPrepared e -> start.prepared(e);
      case Event.LoopStarted e -> {}
      case Event.LoopReport e -> {
        losses.accept(e.report());
        progress.accept(e.report());
      }
      case Event.LoopEnded e -> end.course();
      case Event.KernelsProfiled e -> KernelTable.write(e.times(), e.steps(), e.peak(), console);
      case Event.ResultSaved e -> end.saved(e);
      case Event.AnswersMeasured e -> end.accuracy(e);
      case Event.Working e -> Activities.show(e, console);
      case Event.Warned e -> Activities.show(e, console);
      // Of comparisons, which CompareReport shows.
      case Event.FormatBegun e -> {}
      case Event.FormatCompared e -> {}
      // Of exports, which ExportReport shows.
      case Event.ModelMerged e -> {}
      case Event.AgreementMeasured e -> {}
      case Event.GgufWritten e -> {}
      case Event.AdapterWritten e -> {}
    }
  }

  /** Shows the lines after a run's end. */
  public void finished() {
    end.finished();
  }
}
