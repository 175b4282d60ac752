package dev.nibble.api.export;

import dev.nibble.adapters.AdapterMerge;
import dev.nibble.adapters.ChangedBase;
import dev.nibble.api.event.Event;
import dev.nibble.api.event.Event.Activity;
import dev.nibble.api.export.ExportFormat.Onto;
import dev.nibble.api.text.Human;
import dev.nibble.api.wiring.FirstSamples;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.export.LogitAgreement;
import dev.nibble.trainer.export.LostUpdate;
import dev.nibble.trainer.export.MergedCheckpoint;
import dev.nibble.trainer.export.MergedSource;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.build.ModelLoader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Export of a merged model, compared with base and adapter. */
final class MergedExport {
  private final Path run;
  private final Recipe recipe;
  private final Wiring wiring;
  private final Consumer<Event> listener;

  MergedExport(Recipe recipe, Path run, Consumer<Event> listener) {
    this.recipe = recipe;
    this.run = run;
    this.wiring = new Wiring(recipe);
    this.listener = listener;
  }

  /** Logits of the model as it was trained, and what they belong to. */
  private record Reference(List<Batch> batches, List<float[][]> logits) {}

  void write(ExportFormat.Merged format, ExportTarget target) throws IOException {
    target.checkFolder();
    KernelOptions options = wiring.machine().options().inFloat32(); // merging rounds, nothing else
    try (Kernels kernels = wiring.machine().kernelSet().open(options)) {
      Optional<Reference> reference = format.largestDivergence().map(bound -> reference(kernels));
      target.write(folder -> {
        MergedCheckpoint.Result result = merge(format, folder, kernels);
        listener.accept(new Event.ModelMerged(result));
        if (reference.isPresent()) {
          LogitAgreement agreement = compare(folder, reference.get(), kernels);
          require(agreement, format.largestDivergence().orElseThrow(), result);
        }
        return result;
      });
    }
  }

  private MergedCheckpoint.Result merge(ExportFormat.Merged format, Path folder, Kernels kernels)
      throws IOException {
    try (ShardedSafetensors stored = ShardedSafetensors.open(recipe.model().base());
        AdapterMerge adapter = AdapterMerge.open(run);
        ChangedBase base = adapter.over(stored, wiring.model().tiedHead())) {
      MergedSource trained = source(base, Onto.TRAINED, adapter, kernels);
      MergedSource written =
          format.onto() == Onto.TRAINED ? trained : source(base, format.onto(), adapter, kernels);
      return new MergedCheckpoint(written, trained, kernels, format.dtype())
          .write(
              recipe.model().base(),
              folder,
              format.maxShardBytes(),
              (done, total) -> listener.accept(new Event.Working(Activity.MERGING, done, total)));
    }
  }

  private MergedSource source(ChangedBase base, Onto onto, AdapterMerge adapter, Kernels kernels) {
    return MergedSource.of(base, onto.rounding(wiring), adapter, kernels);
  }

  private Reference reference(Kernels kernels) {
    try (Tokenizer tokenizer = wiring.tokenizer();
        Scope memory = Scope.open("trained", kernels.memory())) {
      listener.accept(new Event.Working(Activity.LOADING_MODEL));
      CausalLm model =
          wiring.modelToUse(
              Optional.of(run), wiring.batches().maxTokens(), kernels, memory, listener);
      List<Batch> batches = FirstSamples.of(wiring, tokenizer, model.vocabSize());
      return new Reference(batches, batches.stream().map(model::logits).toList());
    }
  }

  private LogitAgreement compare(Path folder, Reference reference, Kernels kernels) {
    LogitAgreement.Sum sum = new LogitAgreement.Sum();
    try (ShardedSafetensors merged = ShardedSafetensors.open(folder);
        Scope memory = Scope.open("merged", kernels.memory())) {
      CausalLm model =
          ModelLoader.view(folder, merged, wiring.batches().maxTokens(), kernels, memory);
      int batches = reference.batches().size();
      for (int b = 0; b < batches; b++) {
        listener.accept(new Event.Working(Activity.COMPARING, b, batches));
        float[][] expected = reference.logits().get(b);
        float[][] given = model.logits(reference.batches().get(b));
        for (int i = 0; i < expected.length; i++) {
          sum.add(expected[i], given[i]);
        }
      }
    }
    return sum.result();
  }

  private void require(LogitAgreement a, double bound, MergedCheckpoint.Result result) {
    if (!(a.resolution() <= bound)) {
      throw new ExportException(
          "base and adapter give logits up to %.2g, which 32-bit floats round by more than the %.2g nats that the merged model may differ by: nothing can be compared. The adapter's values are not those of a trained one; nothing was written"
              .formatted(a.highest(), bound));
    }
    if (!a.isTelling()) {
      throw new ExportException(
          "base and adapter give the same logits whatever the text is: their values overflow on the way, and nothing can be compared. The adapter's values are not those of a trained one; nothing was written");
    }
    if (!(a.divergence() <= bound)) {
      throw new ExportException(
          "the merged model differs from base and adapter over %s tokens: %s. The largest error: %s. Nothing was written. A wider element type rounds less; merging onto the weights that were trained against differs less"
              .formatted(
                  Human.count(a.positions()),
                  a.describe(bound),
                  result.worst().map(LostUpdate::tensor).orElse("none was changed")));
    }
    listener.accept(new Event.AgreementMeasured(a, bound));
  }
}
