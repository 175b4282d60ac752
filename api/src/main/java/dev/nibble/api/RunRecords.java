package dev.nibble.api;

import dev.nibble.api.machine.ResidentMemory;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.checkpoint.Checkpoints;
import dev.nibble.trainer.evaluation.Comparison;
import dev.nibble.trainer.run.Build;
import dev.nibble.trainer.run.FileDigest;
import dev.nibble.trainer.run.LossPlot;
import dev.nibble.trainer.run.Machine;
import dev.nibble.trainer.run.MetricsLog;
import dev.nibble.trainer.run.Provenance;
import dev.nibble.trainer.run.RunDirectory;
import dev.nibble.trainer.run.RunException;
import dev.nibble.trainer.train.Report;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** What a run writes into its folder besides the model: where it comes from, and how it went. */
final class RunRecords implements Consumer<Report>, AutoCloseable {
  private final Recipe recipe;
  private final RunDirectory directory;
  private final Optional<Path> checkpoint;
  private Optional<MetricsLog> metrics = Optional.empty();

  private RunRecords(Recipe recipe, RunDirectory directory, Optional<Path> checkpoint) {
    this.recipe = recipe;
    this.directory = directory;
    this.checkpoint = checkpoint;
  }

  /** Takes the folder for this run, and writes down what it is made of. */
  static RunRecords open(Recipe recipe, ExistingRunPolicy start, KernelSet kernels)
      throws IOException {
    RunDirectory.Mode mode =
        switch (start) {
          case ExistingRunPolicy.Anew a -> RunDirectory.Mode.START;
          case ExistingRunPolicy.Overwrite o -> RunDirectory.Mode.OVERWRITE;
          case ExistingRunPolicy.Resume r -> RunDirectory.Mode.RESUME;
        };
    String fingerprint = Recipes.fingerprint(recipe);
    RunDirectory directory = RunDirectory.open(recipe.output().folder(), fingerprint, mode);
    RunRecords records = new RunRecords(recipe, directory, checkpoint(directory, start));
    if (mode != RunDirectory.Mode.RESUME) {
      records.begin(fingerprint, kernels);
    }
    return records;
  }

  private void begin(String fingerprint, KernelSet kernels) throws IOException {
    Files.writeString(directory.resolvedRecipe(), Recipes.resolved(recipe));
    new Provenance(
            fingerprint,
            recipe.training().seed(),
            FileDigest.ofModel(recipe.model().base()),
            dataDigests(),
            Build.current(),
            Machine.current(),
            kernels.describe())
        .write(directory.provenance());
  }

  private List<FileDigest> dataDigests() throws IOException {
    List<FileDigest> digests = new ArrayList<>();
    for (Path path : dataPaths()) {
      try (Stream<Path> files = Files.walk(path)) {
        for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
          digests.add(FileDigest.of(file.toString(), file));
        }
      }
    }
    return digests;
  }

  private List<Path> dataPaths() {
    return Stream.of(
            recipe.data().train().stream(),
            recipe.data().validation().stream(),
            recipe.evaluation().answers().stream().map(Recipe.AnswerEval::dataset))
        .flatMap(datasets -> datasets)
        .map(Recipe.Dataset::path)
        .distinct()
        .toList();
  }

  private static Optional<Path> checkpoint(RunDirectory directory, ExistingRunPolicy start) {
    if (!(start instanceof ExistingRunPolicy.Resume resume)) {
      return Optional.empty();
    }
    Optional<Path> from = resume.checkpoint().or(() -> Checkpoints.latest(directory.path()));
    if (from.isEmpty()) {
      throw new RunException(
          "output_dir %s holds no checkpoint to resume from. Overwrite that run to start anew"
              .formatted(directory.path()));
    }
    return from;
  }

  /** The checkpoint to go on from, if this run goes on. */
  Optional<Path> checkpoint() {
    return checkpoint;
  }

  /**
   * Notes a report in {@code metrics.jsonl}; lines after the step that a run goes on from are
   * dropped.
   */
  @Override
  public void accept(Report report) {
    if (metrics.isEmpty()) {
      long keep = report instanceof Report.ResumeReport resumed ? resumed.step() : 0;
      try {
        metrics = Optional.of(MetricsLog.open(directory.metrics(), keep, ResidentMemory::now));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    metrics.get().accept(report);
  }

  /** Draws the loss curve. */
  void drawLoss() throws IOException {
    LossPlot.write(
        directory.metrics(), directory.lossPlot(), String.valueOf(directory.path().getFileName()));
  }

  /** Writes how much better the model became. */
  void compare(Comparison comparison) throws IOException {
    comparison.write(directory.evaluation());
  }

  @Override
  public void close() throws IOException {
    if (metrics.isPresent()) {
      metrics.get().close();
    }
  }
}
