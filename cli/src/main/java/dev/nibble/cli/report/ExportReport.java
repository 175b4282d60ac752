package dev.nibble.cli.report;

import dev.nibble.api.event.Event;
import dev.nibble.api.export.ExportFormat;
import dev.nibble.api.export.ExportFormat.Onto;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.export.MergedCheckpoint;
import dev.nibble.trainer.export.gguf.GgufReport;
import dev.nibble.trainer.export.gguf.GgufType;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;

/** The events of an export as text. */
public final class ExportReport implements Consumer<Event> {
  private final Recipe recipe;
  private final ExportFormat format;
  private final Path output;
  private final Console console;

  /** A report of an export to {@code output}. */
  public ExportReport(Recipe recipe, ExportFormat format, Path output, Console console) {
    this.recipe = recipe;
    this.format = format;
    this.output = output;
    this.console = console;
  }

  @Override
  public void accept(Event event) {
    switch (event) {
      case Event.ModelMerged e when format instanceof ExportFormat.Merged merged ->
          merged(merged, e.result());
      case Event.AgreementMeasured e ->
          console.entry(
              "agreement",
              "over %s tokens: %s"
                  .formatted(
                      Human.count(e.agreement().positions()), e.agreement().describe(e.bound())));
      case Event.GgufWritten e when format instanceof ExportFormat.Gguf gguf ->
          gguf(gguf.type(), e.report());
      case Event.GgufWritten e when format instanceof ExportFormat.GgufLora lora ->
          gguf(lora.type(), e.report());
      case Event.AdapterWritten e ->
          console.entry("adapter", "saved in " + Paths.shown(e.folder()));
      default -> Activities.show(event, console);
    }
  }

  private void merged(ExportFormat.Merged merged, MergedCheckpoint.Result result) {
    console.entry(
        "merged",
        "saved in %s: %s of %s in %s"
            .formatted(
                Paths.shown(output),
                Human.bytes(result.bytes()),
                merged.dtype().name().toLowerCase(Locale.ROOT),
                Human.counted(result.files(), "file")));
    console.entry("onto", onto(merged.onto()));
    result
        .worst()
        .ifPresent(worst ->
            console.entry(
                "worst",
                "%s: its error is %s of its update"
                    .formatted(worst.tensor(), Human.percent(worst.share()))));
  }

  private String onto(Onto onto) {
    return switch (onto) {
      case TRAINED ->
          recipe
              .model()
              .quantization()
              .map(f -> "the weights in %s that the adapter was trained on".formatted(f.describe()))
              .orElse("the base model's weights, which the adapter was trained on");
      case ORIGINAL -> "the base model's original weights";
    };
  }

  private void gguf(GgufType type, GgufReport report) {
    console.entry(
        "gguf",
        "%s, %s in %d tensors, %s"
            .formatted(
                type.name().toLowerCase(Locale.ROOT),
                Human.bytes(report.bytes()),
                report.tensors(),
                Paths.shown(output)));
    report.fallbacks().forEach(f -> console.entry("note", f));
    report.warnings().forEach(w -> console.entry("warning", w));
  }
}
