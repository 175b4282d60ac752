package dev.nibble.cli.report;

import dev.nibble.api.machine.ResidentMemory;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.terminal.Console;
import dev.nibble.trainer.train.Report;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * The course of a run as text: on a terminal a live line, and a line that stays for each tenth of
 * the run; elsewhere a line every few steps. A line on a terminal says as much as the window has
 * room for, the most important first.
 */
final class TrainingProgress implements Consumer<Report> {
  private static final int BAR = 24;
  private static final int KEPT_LINES = 10;
  private static final long REFRESH_NANOS = 100_000_000;
  private static final String BETWEEN = " · ";

  private final Console console;
  private final int loggingSteps;
  private long shown = System.nanoTime() - REFRESH_NANOS;

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
          console.sentence(
              "  step %s skipped: %s (%d of at most %d)"
                  .formatted(Human.count(s.step()), s.problem(), s.skipped(), s.most()));
      case Report.EvaluationReport e ->
          console.sentence(
              "  %s: validation loss %s, perplexity %s%s"
                  .formatted(
                      e.step() == 0 ? "before training" : "step " + Human.count(e.step()),
                      Human.loss(e.loss()),
                      String.format(Locale.ROOT, "%.3f", e.perplexity()),
                      e.isBest() ? ", the best so far" : ""));
      case Report.CheckpointReport c ->
          console.sentence("  checkpoint in " + Paths.shown(c.folder()));
      case Report.ResumeReport r ->
          console.sentence("  resuming after step " + Human.count(r.step()));
      case Report.EarlyStopReport s ->
          console.sentence(
              "  stopped after step %s: no lower validation loss in %s evaluations; the best, %s, was after step %s"
                  .formatted(
                      Human.count(s.step()),
                      Human.count(s.evaluations()),
                      Human.loss(s.bestLoss()),
                      Human.count(s.bestStep())));
      case Report.StopReport s -> console.sentence("  stopped after step " + Human.count(s.step()));
    }
  }

  private void step(Report.StepReport s) {
    boolean last = s.step() == s.steps();
    long between =
        console.isTerminal()
            ? Math.max(1, (s.steps() + KEPT_LINES - 1) / KEPT_LINES)
            : loggingSteps;
    if (last || s.step() == 1 || s.step() % between == 0) {
      console.line(kept(s));
    } else if (console.isTerminal() && System.nanoTime() - shown > REFRESH_NANOS) {
      shown = System.nanoTime();
      console.live(live(s));
    }
  }

  private String kept(Report.StepReport s) {
    List<String> parts = new ArrayList<>();
    parts.add("  step %s of %s".formatted(Human.count(s.step()), Human.count(s.steps())));
    parts.add("loss " + Human.loss(s.loss()));
    parts.add(left(s));
    return fitting(parts, more(s), console.width());
  }

  private String live(Report.StepReport s) {
    List<String> parts = new ArrayList<>();
    parts.add("%s/%s".formatted(Human.count(s.step()), Human.count(s.steps())));
    parts.add("loss " + String.format(Locale.ROOT, "%.3f", s.loss()));
    parts.add(left(s));
    String always = String.join(BETWEEN, parts);
    int room = console.width() - 2;
    if (always.length() + BAR + 1 > room) {
      return "  " + always;
    }
    return "  " + bar(s) + " " + fitting(parts, more(s), room - BAR - 1);
  }

  private static String left(Report.StepReport s) {
    return Human.duration(s.secondsLeft()) + " left";
  }

  /** What is said where there is room for it, the most important first. */
  private static List<String> more(Report.StepReport s) {
    List<String> more = new ArrayList<>();
    more.add(Human.count(Math.round(s.tokensPerSecond())) + " tokens/s");
    more.add("epoch " + String.format(Locale.ROOT, "%.2f", s.epoch()));
    more.add("learning rate " + Human.rate(s.learningRate()));
    ResidentMemory.now().ifPresent(bytes -> more.add(Human.bytes(bytes) + " memory"));
    more.add("gradient norm " + String.format(Locale.ROOT, "%.3g", s.gradientNorm()));
    return more;
  }

  /** All that {@code always} has, and of {@code more} as much as there is room for. */
  private static String fitting(List<String> always, List<String> more, int width) {
    StringBuilder line = new StringBuilder(String.join(BETWEEN, always));
    for (String part : more) {
      if (line.length() + BETWEEN.length() + part.length() > width) {
        break;
      }
      line.append(BETWEEN).append(part);
    }
    return line.toString();
  }

  private static String bar(Report.StepReport s) {
    int done = (int) (BAR * s.step() / s.steps());
    return "█".repeat(done) + "░".repeat(BAR - done);
  }
}
