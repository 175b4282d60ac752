package dev.nibble.api.export;

import dev.nibble.adapters.PeftAdapter;
import dev.nibble.api.event.Event;
import dev.nibble.api.text.Paths;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.export.ExportException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/** A writer of a run's model, or of the model that a recipe starts from, for other tools. */
public final class Exporter {
  private final Recipe recipe;
  private final Optional<Path> run;
  private final Consumer<Event> listener;

  /**
   * An exporter.
   *
   * @param recipe that describes the model
   * @param run folder of what training gave; empty for the model that the recipe starts from, with
   *     the adapter that it starts from
   */
  public Exporter(Recipe recipe, Optional<Path> run, Consumer<Event> listener) {
    this.recipe = recipe;
    this.run = run;
    this.listener = listener;
  }

  /**
   * Writes to a place that holds nothing yet, whole or not at all.
   *
   * @param output a folder, or a file for GGUF
   * @throws ExportException when it cannot be written so
   */
  public void write(ExportFormat format, Path output) {
    write(format, new ExportTarget(output, false));
  }

  /** The same, replacing what an earlier export wrote there. */
  public void overwrite(ExportFormat format, Path output) {
    write(format, new ExportTarget(output, true));
  }

  private void write(ExportFormat format, ExportTarget target) {
    new Wiring(recipe).adapterWarnings(run).forEach(listener);
    try {
      switch (format) {
        case ExportFormat.Merged merged ->
            new MergedExport(recipe, requiredAdapter(), listener).write(merged, target);
        case ExportFormat.Adapter adapter -> writeAdapter(adapter, target);
        case ExportFormat.Gguf gguf ->
            new GgufExport(recipe, run, adapter(), listener).write(gguf, target);
        case ExportFormat.GgufLora lora ->
            new GgufExport(recipe, run, adapter(), listener)
                .writeAdapter(requiredAdapter(), lora, target);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The folder of the adapter: a run's, or the one that the recipe starts from. */
  private Optional<Path> adapter() {
    return recipe.model().adapterSource().flatMap(source -> run.or(source::continueFrom));
  }

  private Path requiredAdapter() {
    return adapter()
        .orElseThrow(() ->
            new ExportException(
                run.isEmpty()
                    ? "a recipe alone has no trained weights: train it, and give the folder of the run"
                    : "%s trained every weight: it holds no adapter, its folder is the whole model already"
                        .formatted(Paths.shown(run.get()))));
  }

  private void writeAdapter(ExportFormat.Adapter format, ExportTarget target) throws IOException {
    PeftAdapter adapter = PeftAdapter.open(requiredAdapter());
    target.write(folder -> {
      adapter.copy(folder, format.baseName().orElse(adapter.baseModel()));
      return adapter;
    });
    listener.accept(new Event.AdapterWritten(target.path()));
  }
}
