package dev.nibble.cli.report;

import dev.nibble.api.machine.ResidentMemory;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.terminal.Console;
import dev.nibble.trainer.train.Report;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Shows a run: a live line on a terminal, a plain line every few steps elsewhere. */
final class TrainingProgress implements Consumer<Report> {
  private static final int BAR = 24;
  private static final long REFRESH_NANOS = 100_000_000;

  private final Console console;
  private final int loggingSteps;
  private long shown;

  /**
   * A view.
   *
   * @param loggingSteps steps between plain lines
   */
  TrainingProgress(Console console, int loggingSteps) {
    this.console = console;
    this.loggingSteps = loggingSteps;
  }

  @Override
  public void accept(Report report) {
    switch (report) {
      case Report.StepReport s -> step(s);
      case Report.SkipReport s ->
          console.line(
              "  step %s skipped: %s (%d of at most %d)"
                  .formatted(Human.count(s.step()), s.problem(), s.skipped(), s.most()));
      case Report.EvaluationReport e ->
          console.line(
              "  step %s: validation loss %s, perplexity %s%s"
                  .formatted(
                      Human.count(e.step()),
                      Human.loss(e.loss()),
                      String.format(Locale.ROOT, "%.3f", e.perplexity()),
                      e.isBest() ? ", the best so far" : ""));
      case Report.CheckpointReport c -> console.line("  checkpoint in " + Paths.shown(c.folder()));
      case Report.ResumeReport r -> console.line("  goes on after step " + Human.count(r.step()));
      case Report.EarlyStopReport s ->
          console.line(
              "  stopped after step %s: no lower validation loss in %s evaluations; the best, %s, was after step %s"
                  .formatted(
                      Human.count(s.step()),
                      Human.count(s.evaluations()),
                      Human.loss(s.bestLoss()),
                      Human.count(s.bestStep())));
      case Report.StopReport s -> console.line("  stopped after step " + Human.count(s.step()));
    }
  }

  private void step(Report.StepReport s) {
    boolean last = s.step() == s.steps();
    if (console.isTerminal()) {
      long now = System.nanoTime();
      if (last || now - shown > REFRESH_NANOS) {
        shown = now;
        console.live(bar(s) + " " + text(s));
      }
      if (last) {
        console.line(text(s));
      }
    } else if (last || s.step() == 1 || s.step() % loggingSteps == 0) {
      console.line(text(s));
    }
  }

  private static String bar(Report.StepReport s) {
    int done = (int) (BAR * s.step() / s.steps());
    return "  " + "█".repeat(done) + "░".repeat(BAR - done);
  }

  private static String text(Report.StepReport s) {
    Stream<String> memory =
        ResidentMemory.now().stream().mapToObj(bytes -> Human.bytes(bytes) + " memory");
    return Stream.of(
            Stream.of(
                "  step %s of %s".formatted(Human.count(s.step()), Human.count(s.steps())),
                "loss " + Human.loss(s.loss()),
                "learning rate " + Human.rate(s.learningRate()),
                Human.count(Math.round(s.tokensPerSecond())) + " tokens/s"),
            memory,
            Stream.of(Human.duration(s.secondsLeft()) + " left"))
        .flatMap(part -> part)
        .collect(Collectors.joining(" · "));
  }
}
