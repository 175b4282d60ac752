package dev.nibble.api.runs;

import dev.nibble.adapters.AdapterMerge;
import dev.nibble.api.runs.ExportRun.Onto;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.export.CheckpointSource;
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
import java.util.Locale;
import java.util.Optional;

/** Writes a merged model, and shows that it says what base and adapter say. */
final class MergedExport {
  private final RunSubject subject;
  private final Path run;
  private final Recipe recipe;
  private final Wiring wiring;
  private final Output console;

  MergedExport(RunSubject subject, Path run, Output console) {
    this.subject = subject;
    this.run = run;
    this.recipe = subject.recipe();
    this.wiring = new Wiring(recipe);
    this.console = console;
  }

  /** Logits of the model as it was trained, and what they belong to. */
  private record Reference(List<Batch> batches, List<float[][]> logits) {}

  void write(ExportRun.Format.Merged format, ExportTarget target) throws IOException {
    target.checkFolder();
    KernelOptions options = wiring.machine().options().inFloat32(); // merging rounds, nothing else
    try (Kernels kernels = wiring.machine().kernelSet().open(options)) {
      Optional<Reference> reference = format.largestDivergence().map(bound -> reference(kernels));
      target.write(folder -> {
        MergedCheckpoint.Result result = merge(format, folder, kernels);
        report(format, target, result);
        if (reference.isPresent()) {
          LogitAgreement agreement = compare(folder, reference.get(), kernels);
          report(agreement, format.largestDivergence().orElseThrow(), result);
        }
      });
    }
  }

  private MergedCheckpoint.Result merge(
      ExportRun.Format.Merged format, Path folder, Kernels kernels) throws IOException {
    try (ShardedSafetensors base = ShardedSafetensors.open(recipe.model().base());
        AdapterMerge adapter = AdapterMerge.open(run)) {
      MergedSource trained = source(base, Onto.TRAINED, adapter, kernels);
      MergedSource written =
          format.onto() == Onto.TRAINED ? trained : source(base, format.onto(), adapter, kernels);
      return new MergedCheckpoint(written, trained, kernels, format.dtype())
          .write(
              recipe.model().base(),
              folder,
              format.maxShardBytes(),
              (done, total) ->
                  console.live(
                      "  merging %s of %s".formatted(Human.bytes(done), Human.bytes(total))));
    }
  }

  private MergedSource source(
      ShardedSafetensors base, Onto onto, AdapterMerge adapter, Kernels kernels) {
    return new MergedSource(
        new CheckpointSource(base, wiring.roundedTo(onto), kernels), adapter, kernels);
  }

  private Reference reference(Kernels kernels) {
    try (Tokenizer tokenizer = wiring.tokenizer();
        Scope memory = Scope.open("trained", kernels.memory())) {
      console.live("  reading the model as it was trained");
      CausalLm model =
          wiring.modelToUse(subject.run(), wiring.batches().maxTokens(), kernels, memory);
      List<Batch> batches = FirstSamples.of(wiring, tokenizer, model.vocabSize());
      return new Reference(batches, batches.stream().map(model::logits).toList());
    }
  }

  private LogitAgreement compare(Path folder, Reference reference, Kernels kernels) {
    LogitAgreement.Sum sum = new LogitAgreement.Sum();
    try (ShardedSafetensors merged = ShardedSafetensors.open(folder);
        Scope memory = Scope.open("merged", kernels.memory())) {
      console.live("  comparing the merged model with base and adapter");
      CausalLm model =
          ModelLoader.view(folder, merged, wiring.batches().maxTokens(), kernels, memory);
      for (int b = 0; b < reference.batches().size(); b++) {
        float[][] expected = reference.logits().get(b);
        float[][] given = model.logits(reference.batches().get(b));
        for (int i = 0; i < expected.length; i++) {
          sum.add(expected[i], given[i]);
        }
      }
    }
    return sum.result();
  }

  private void report(
      ExportRun.Format.Merged format, ExportTarget target, MergedCheckpoint.Result result) {
    console.entry(
        "merged",
        "%s of %s in %d %s for %s"
            .formatted(
                Human.bytes(result.bytes()),
                format.dtype().name().toLowerCase(Locale.ROOT),
                result.files(),
                result.files() == 1 ? "file" : "files",
                Paths.shown(target.path())));
    console.entry(
        "onto",
        switch (format.onto()) {
          case TRAINED ->
              wiring
                  .quantization()
                  .map(f ->
                      "the weights in %s that the adapter was trained against"
                          .formatted(f.describe()))
                  .orElse("the base model's weights, which the adapter was trained against");
          case ORIGINAL -> "the base model's own weights";
        });
    result
        .worst()
        .ifPresent(worst ->
            console.entry(
                "worst",
                "%s: its error is %s of its update"
                    .formatted(worst.tensor(), Human.percent(worst.share()))));
  }

  private void report(LogitAgreement a, double bound, MergedCheckpoint.Result result) {
    String figures =
        String.format(
            Locale.ROOT,
            "KL divergence %.2g nats (bound %.2g), same likeliest token %s, logits differ by %.2g at most and %.2g on average",
            a.divergence(),
            bound,
            Human.percent(a.sameTop()),
            a.largest(),
            a.mean());
    if (!(a.divergence() <= bound)) {
      throw new ExportException(
          "the merged model differs from base and adapter over %s tokens: %s. The largest error: %s. Nothing was written. A wider type (--dtype f32) rounds less; --onto trained merges onto the weights that were trained against"
              .formatted(
                  Human.count(a.positions()),
                  figures,
                  result.worst().map(LostUpdate::tensor).orElse("none was changed")));
    }
    console.entry("agreement", "over %s tokens: %s".formatted(Human.count(a.positions()), figures));
  }
}
