package dev.nibble.api.export;

import dev.nibble.adapters.AdapterMerge;
import dev.nibble.adapters.ChangedBase;
import dev.nibble.api.event.Event;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.export.CheckpointSource;
import dev.nibble.trainer.export.HostSource;
import dev.nibble.trainer.export.MergedSource;
import dev.nibble.trainer.export.gguf.GgufLora;
import dev.nibble.trainer.export.gguf.GgufModel;
import dev.nibble.trainer.export.gguf.GgufReport;
import dev.nibble.trainer.model.config.ModelConfig;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Export to GGUF: of a complete model, which a run trained or a recipe starts from, or of an
 * adapter.
 */
final class GgufExport {
  private final Recipe recipe;
  private final Wiring wiring;
  private final Optional<Path> run;
  private final Optional<Path> adapterFolder;
  private final Consumer<Event> listener;

  /**
   * A writer.
   *
   * @param run folder of a run
   * @param adapterFolder of the adapter that belongs to the model
   */
  GgufExport(
      Recipe recipe, Optional<Path> run, Optional<Path> adapterFolder, Consumer<Event> listener) {
    this.recipe = recipe;
    this.wiring = new Wiring(recipe);
    this.run = run;
    this.adapterFolder = adapterFolder;
    this.listener = listener;
  }

  void write(ExportFormat.Gguf format, ExportTarget target) {
    target.checkFile();
    writing(0, 0);
    try (Kernels kernels = wiring.machine().kernelSet().open(wiring.machine().options())) {
      listener.accept(new Event.GgufWritten(written(format, target.path(), kernels)));
    }
  }

  private GgufReport written(ExportFormat.Gguf format, Path out, Kernels kernels) {
    boolean trainedWhole = run.isPresent() && recipe.model().adapterSource().isEmpty();
    Path folder = trainedWhole ? run.get() : recipe.model().base();
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      if (adapterFolder.isEmpty()) {
        CheckpointSource stored =
            new CheckpointSource(checkpoint, ExportFormat.Onto.ORIGINAL.rounding(wiring), kernels);
        return GgufModel.write(
            folder, new HostSource(stored, kernels), out, format.type(), this::writing);
      }
      boolean tied = ModelConfig.of(folder, checkpoint).tiedHead();
      try (AdapterMerge adapter = AdapterMerge.open(adapterFolder.get());
          ChangedBase base = adapter.over(checkpoint, tied)) {
        MergedSource merged =
            MergedSource.of(base, format.onto().rounding(wiring), adapter, kernels);
        return GgufModel.write(
            folder, new HostSource(merged, kernels), out, format.type(), this::writing);
      }
    }
  }

  private void writing(long done, long total) {
    listener.accept(new Event.Working(Event.Activity.WRITING, done, total));
  }

  /** The adapter in a run's folder alone, for its base in GGUF. */
  void writeAdapter(Path adapter, ExportFormat.GgufLora format, ExportTarget target) {
    target.checkFile();
    listener.accept(
        new Event.GgufWritten(
            GgufLora.write(adapter, recipe.model().base(), target.path(), format.type())));
  }
}
