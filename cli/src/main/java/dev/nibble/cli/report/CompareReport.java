package dev.nibble.cli.report;

import dev.nibble.api.compare.ComparedFormat;
import dev.nibble.api.compare.ComparisonRequest;
import dev.nibble.api.compare.FormatComparison;
import dev.nibble.api.comparing.ComparisonTable;
import dev.nibble.api.event.Event;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.terminal.Console;
import dev.nibble.cli.terminal.StyledText;
import dev.nibble.trainer.train.Report;
import java.util.List;
import java.util.function.Consumer;

/** The events of a comparison as text: a row of a table as soon as a format is measured. */
public final class CompareReport implements Consumer<Event> {
  /** Cells of a column at least; nearly all numbers are as short. */
  private static final int WIDTH = 8;

  private final Console console;
  private final StartReport start;
  private final ComparisonTable table;
  private final int names;
  private String at = "";

  /** A report of what was asked for. */
  public CompareReport(ComparisonRequest request, Console console) {
    this.console = console;
    this.start = new StartReport(request.recipe(), console);
    this.table = ComparisonTable.narrow(request.train());
    this.names = request.formats().stream().mapToInt(String::length).max().orElse(WIDTH);
  }

  @Override
  public void accept(Event event) {
    switch (event) {
      case Event.KernelsOpened e -> start.kernels(e);
      case Event.TemplateFound e -> start.template(e);
      case Event.DataRead e -> start.data(e);
      case Event.ModelFound e ->
          console.entry(
              "model",
              "%s, %s".formatted(Paths.shown(e.folder()), Human.counted(e.weights(), "weight")));
      case Event.FormatBegun e -> begun(e);
      case Event.FormatCompared e -> compared(e.result());
      case Event.Working e -> console.live("  " + at + Activities.text(e));
      case Event.LoopReport(Report.StepReport step) ->
          console.live(
              "  %straining: step %s of %s · loss %s"
                  .formatted(
                      at,
                      Human.count(step.step()),
                      Human.count(step.steps()),
                      Human.loss(step.loss())));
      default -> Activities.show(event, console);
    }
  }

  private void begun(Event.FormatBegun e) {
    at = "%s (%d of %d): ".formatted(e.format(), e.number(), e.formats());
    if (e.number() == 1) {
      console.line(new StyledText().bold(row(table.heads())));
    }
  }

  private void compared(ComparedFormat result) {
    if (result.base().isPresent()) {
      console.line(row(table.cells(result)));
    }
    result
        .failure()
        .ifPresent(
            reason -> console.sentence("  %s failed: %s".formatted(result.format(), reason)));
  }

  private String row(List<String> cells) {
    StringBuilder line = new StringBuilder("  ");
    line.append(cells.getFirst()).repeat(" ", Math.max(0, names - cells.getFirst().length()));
    for (int i = 1; i < cells.size(); i++) {
      int width = Math.max(i == 1 ? WIDTH - 2 : WIDTH, table.heads().get(i).length());
      line.repeat(" ", Math.max(0, width - cells.get(i).length()) + 1).append(cells.get(i));
    }
    return line.toString();
  }

  /** Shows what the columns mean, and where table and picture are. */
  public void finished(FormatComparison comparison) {
    ComparisonTable.LEGEND.forEach(line -> console.sentence("  " + line));
    console.line(
        "Saved %s and %s"
            .formatted(Paths.shown(comparison.table()), comparison.picture().getFileName()));
  }
}
