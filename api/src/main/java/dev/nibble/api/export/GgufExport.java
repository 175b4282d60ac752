package dev.nibble.api.export;

import dev.nibble.adapters.AdapterMerge;
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
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Writes GGUF: a whole model, which is what a run trained or what a recipe starts from, or an
 * adapter.
 */
final class GgufExport {
  private final Recipe recipe;
  private final Wiring wiring;
  private final Optional<Path> run;
  private final Consumer<Event> listener;

  GgufExport(Recipe recipe, Optional<Path> run, Consumer<Event> listener) {
    this.recipe = recipe;
    this.wiring = new Wiring(recipe);
    this.run = run;
    this.listener = listener;
  }

  void write(ExportFormat.Gguf format, ExportTarget target) {
    target.checkFile();
    listener.accept(new Event.Working(Event.Activity.WRITING));
    try (Kernels kernels = wiring.machine().kernelSet().open(wiring.machine().options())) {
      listener.accept(new Event.GgufWritten(written(format, target.path(), kernels)));
    }
  }

  private GgufReport written(ExportFormat.Gguf format, Path out, Kernels kernels) {
    boolean adapted = run.isPresent() && recipe.model().adapterSource().isPresent();
    Path folder = adapted ? recipe.model().base() : run.orElse(recipe.model().base());
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      if (!adapted) {
        CheckpointSource stored =
            new CheckpointSource(checkpoint, ExportFormat.Onto.ORIGINAL.rounding(wiring), kernels);
        return GgufModel.write(folder, new HostSource(stored, kernels), out, format.type());
      }
      CheckpointSource base =
          new CheckpointSource(checkpoint, format.onto().rounding(wiring), kernels);
      try (AdapterMerge adapter = AdapterMerge.open(run.orElseThrow())) {
        MergedSource merged = new MergedSource(base, adapter, kernels);
        return GgufModel.write(folder, new HostSource(merged, kernels), out, format.type());
      }
    }
  }

  /** The adapter in a run's folder alone, for its base in GGUF. */
  void writeAdapter(Path adapter, ExportFormat.GgufLora format, ExportTarget target) {
    target.checkFile();
    listener.accept(
        new Event.GgufWritten(
            GgufLora.write(adapter, recipe.model().base(), target.path(), format.type())));
  }
}
