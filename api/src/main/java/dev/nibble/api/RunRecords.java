package dev.nibble.api;

import dev.nibble.api.machine.ResidentMemory;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.quant.WeightFormat;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipe.AdapterSource;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.checkpoint.Checkpoints;
import dev.nibble.trainer.checkpoint.ModelFiles;
import dev.nibble.trainer.evaluation.Comparison;
import dev.nibble.trainer.run.Build;
import dev.nibble.trainer.run.LossPlot;
import dev.nibble.trainer.run.Machine;
import dev.nibble.trainer.run.MetricsLog;
import dev.nibble.trainer.run.Provenance;
import dev.nibble.trainer.run.RunDirectory;
import dev.nibble.trainer.run.RunException;
import dev.nibble.trainer.run.RunInput;
import dev.nibble.trainer.train.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Files of a run besides the model: its recipe, provenance, metrics, loss curve and evaluation. */
final class RunRecords implements Consumer<Report>, AutoCloseable {
  private final Recipe recipe;
  private final RunDirectory directory;
  private final Optional<Path> checkpoint;
  private final List<RunInput> inputs;
  private final LocalDateTime began;
  private Optional<MetricsLog> metrics = Optional.empty();

  private RunRecords(
      Recipe recipe,
      RunDirectory directory,
      Optional<Path> checkpoint,
      List<RunInput> inputs,
      LocalDateTime began) {
    this.recipe = recipe;
    this.directory = directory;
    this.checkpoint = checkpoint;
    this.inputs = inputs;
    this.began = began;
  }

  /** Takes the folder for this run, after checking that it may have it. */
  static RunRecords open(Recipe recipe, ExistingRunPolicy existing) throws IOException {
    RunDirectory.Mode mode =
        switch (existing) {
          case ExistingRunPolicy.Anew _ -> RunDirectory.Mode.START;
          case ExistingRunPolicy.Overwrite _ -> RunDirectory.Mode.OVERWRITE;
          case ExistingRunPolicy.Resume _ -> RunDirectory.Mode.RESUME;
        };
    RunDirectory directory =
        RunDirectory.open(recipe.output().folder(), Recipes.settings(recipe), mode);
    try {
      Optional<Path> checkpoint = checkpoint(directory, existing);
      List<RunInput> inputs = RunInputs.decisive(recipe);
      LocalDateTime began = LocalDateTime.now(ZoneId.systemDefault());
      if (mode == RunDirectory.Mode.RESUME) {
        directory.requireSameInputs(inputs);
        began = directory.run().map(Provenance::began).orElse(began);
      }
      return new RunRecords(recipe, directory, checkpoint, inputs, began);
    } catch (Throwable e) {
      try {
        directory.close();
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private static Optional<Path> checkpoint(RunDirectory directory, ExistingRunPolicy existing) {
    if (!(existing instanceof ExistingRunPolicy.Resume resume)) {
      return Optional.empty();
    }
    resume
        .checkpoint()
        .filter(asked -> !Checkpoints.isComplete(asked))
        .ifPresent(asked -> {
          throw new RunException(
              "%s is no checkpoint. Give a checkpoint-N folder of the run in %s"
                  .formatted(asked, directory.path()));
        });
    return resume.checkpoint().or(directory::latestCheckpoint);
  }

  /** The time at which the run began, before all interruptions. */
  LocalDateTime began() {
    return began;
  }

  /** The checkpoint to continue from; empty for a run that starts, or that had saved none. */
  Optional<Path> checkpoint() {
    return checkpoint;
  }

  /** Makes the folder this run's, and writes down what it is made of. */
  void begin(KernelSet kernels) throws IOException {
    Provenance provenance =
        new Provenance(
            Recipes.settings(recipe),
            inputs,
            RunInputs.measured(recipe),
            began,
            Build.current(),
            Machine.current(),
            kernels.describe());
    write(() -> directory.begin(Recipes.resolved(recipe), provenance));
  }

  /**
   * Notes a report in {@code metrics.jsonl}; lines after the step that a run continues from are
   * dropped.
   */
  @Override
  public void accept(Report report) {
    write(() -> follow(report));
    metrics.orElseThrow().accept(report);
    if (report instanceof Report.EvaluationReport || report instanceof Report.CheckpointReport) {
      drawLoss();
    }
  }

  private void follow(Report report) throws IOException {
    if (metrics.isEmpty()) {
      long keep = report instanceof Report.ResumeReport resumed ? resumed.step() : 0;
      metrics = Optional.of(MetricsLog.open(directory.metrics(), keep, ResidentMemory::now));
    }
    switch (report) {
      case Report.StepReport _ -> directory.dropResult();
      case Report.CheckpointReport _ -> directory.checkpointWritten();
      default -> {}
    }
  }

  /** Writes the trained weights. */
  void save(ModelFiles result) {
    write(() -> result.write(directory.path()));
  }

  /** Draws the loss curve as far as it goes. */
  void drawLoss() {
    write(() ->
        LossPlot.write(
            directory.metrics(),
            directory.lossPlot(),
            String.valueOf(directory.path().getFileName()),
            subtitle()));
  }

  /** The base model by the end of its path, and what was trained. */
  private String subtitle() {
    Path base = recipe.model().base();
    int names = base.getNameCount();
    String model = base.subpath(Math.max(0, names - 2), names).toString();
    String trained =
        recipe
            .model()
            .adapterSource()
            .map(source ->
                switch (source) {
                  case AdapterSource.New(var spec) -> spec.describe();
                  case AdapterSource.Continued earlier ->
                      "continued from " + earlier.folder().getFileName();
                })
            .orElse("all weights trained");
    return Stream.of(
            Optional.of(model),
            recipe.model().quantization().map(WeightFormat::describe),
            Optional.of(trained))
        .flatMap(Optional::stream)
        .collect(Collectors.joining(" · "));
  }

  /** Writes how much better the model became, and by which answers. */
  void compare(Comparison comparison) {
    write(() -> {
      comparison.writeAnswers(directory.answers());
      comparison.write(directory.evaluation());
    });
  }

  /** Writing into the run's folder. */
  private interface Writing {
    void run() throws IOException;
  }

  private void write(Writing writing) {
    try {
      writing.run();
    } catch (IOException e) {
      throw RunException.unwritable(e);
    }
  }

  @Override
  public void close() {
    write(() -> {
      try {
        if (metrics.isPresent()) {
          metrics.get().close();
        }
      } finally {
        directory.close();
      }
    });
  }
}
