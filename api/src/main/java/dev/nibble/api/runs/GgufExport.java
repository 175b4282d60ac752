package dev.nibble.api.runs;

import dev.nibble.adapters.AdapterMerge;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.export.CheckpointSource;
import dev.nibble.trainer.export.HostSource;
import dev.nibble.trainer.export.MergedSource;
import dev.nibble.trainer.export.gguf.GgufLora;
import dev.nibble.trainer.export.gguf.GgufModel;
import dev.nibble.trainer.export.gguf.GgufReport;
import dev.nibble.trainer.export.gguf.GgufType;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Writes GGUF: a whole model, which is what a run trained or what a recipe starts from, or an
 * adapter.
 */
final class GgufExport {
  private final RunSubject subject;
  private final Recipe recipe;
  private final Wiring wiring;
  private final Output console;

  GgufExport(RunSubject subject, Output console) {
    this.subject = subject;
    this.recipe = subject.recipe();
    this.wiring = new Wiring(recipe);
    this.console = console;
  }

  void write(ExportRun.Format.Gguf format, ExportTarget target) {
    target.checkFile();
    console.live("  writing " + Paths.shown(target.path()));
    try (Kernels kernels = wiring.machine().kernelSet().open(wiring.machine().options())) {
      report(written(format, target.path(), kernels), format.type(), target);
    }
  }

  private GgufReport written(ExportRun.Format.Gguf format, Path out, Kernels kernels) {
    boolean adapted = subject.run().isPresent() && recipe.model().lora().isPresent();
    Path folder = adapted ? recipe.model().base() : subject.run().orElse(recipe.model().base());
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      if (!adapted) {
        CheckpointSource stored =
            new CheckpointSource(checkpoint, wiring.roundedTo(ExportRun.Onto.ORIGINAL), kernels);
        return GgufModel.write(folder, new HostSource(stored, kernels), out, format.type());
      }
      CheckpointSource base =
          new CheckpointSource(checkpoint, wiring.roundedTo(format.onto()), kernels);
      try (AdapterMerge adapter = AdapterMerge.open(subject.run().orElseThrow())) {
        MergedSource merged = new MergedSource(base, adapter, kernels);
        return GgufModel.write(folder, new HostSource(merged, kernels), out, format.type());
      }
    }
  }

  /** The adapter of {@code run} alone, for its base in GGUF. */
  void writeAdapter(Path run, ExportRun.Format.GgufLora format, ExportTarget target) {
    target.checkFile();
    report(
        GgufLora.write(run, recipe.model().base(), target.path(), format.type()),
        format.type(),
        target);
  }

  private void report(GgufReport report, GgufType type, ExportTarget target) {
    console.entry(
        "gguf",
        "%s, %s in %d tensors, %s"
            .formatted(
                type.name().toLowerCase(Locale.ROOT),
                Human.bytes(report.bytes()),
                report.tensors(),
                Paths.shown(target.path())));
    report.fallbacks().forEach(f -> console.entry("note", f));
    report.warnings().forEach(w -> console.entry("warning", w));
  }
}
