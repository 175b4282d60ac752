package dev.nibble.trainer.toy;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.trainer.checkpoint.Checkpoints;
import dev.nibble.trainer.checkpoint.ModelFiles;
import dev.nibble.trainer.evaluation.ValidationLoss;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.optim.AdamW;
import dev.nibble.trainer.optim.GradientClip;
import dev.nibble.trainer.optim.Schedule;
import dev.nibble.trainer.train.Finetune;
import dev.nibble.trainer.train.Outcome;
import dev.nibble.trainer.train.Report;
import dev.nibble.trainer.train.StopRequest;
import dev.nibble.trainer.train.TrainingPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Everything a run needs, around a {@link ToyLm}. */
public final class ToyRun implements AutoCloseable {
  /** Vocabulary size. */
  public static final int VOCAB = 7;

  public final Kernels kernels = ToyKernels.open();
  public final Scope scope;
  public final ToyLm model;
  public final AdamW optimizer;
  public final ToyData data;
  public final StopRequest stop = new StopRequest();
  public final List<Report> reports = new ArrayList<>();
  public final Finetune finetune;
  private final Checkpoints checkpoints;
  private long stopStep;
  private boolean stopAtSkip;

  /** A run of the default model and data. */
  public ToyRun(Path outputDir, TrainingPlan plan) {
    this(outputDir, plan, VOCAB, ToyData.chains(7, VOCAB, 3), 2);
  }

  /** A run. */
  public ToyRun(Path outputDir, TrainingPlan plan, int vocab, List<Batch> batches, int keep) {
    this(outputDir, plan, vocab, batches, keep, new ToyLoss());
  }

  /** A run with this loss. */
  public ToyRun(
      Path outputDir,
      TrainingPlan plan,
      int vocab,
      List<Batch> batches,
      int keep,
      Objective objective) {
    makeFolder(outputDir);
    scope = Scope.open("run", kernels.memory());
    model = new ToyLm(vocab, scope);
    optimizer =
        new AdamW(kernels, model.parameters(), new AdamW.Settings(0.9, 0.999, 1e-8, 0.01), scope);
    data = new ToyData(batches, 5);
    GradientClip clip = new GradientClip(kernels, 0.5, scope);
    checkpoints = new Checkpoints(outputDir, keep, new WeightsFile(model), optimizer, kernels);
    scope.seal();
    finetune =
        new Finetune(
            kernels,
            new Finetune.Parts(
                model,
                objective,
                data,
                optimizer,
                new Schedule.Cosine(0.1, 2, plan.steps(), 0.1),
                clip,
                Optional.of(
                    new ValidationLoss(model, objective, ToyData.chains(3, VOCAB, 99), done -> {})),
                Optional.of(checkpoints)),
            plan,
            stop,
            this::hear);
  }

  private static void makeFolder(Path outputDir) {
    try {
      Files.createDirectories(outputDir);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void hear(Report report) {
    reports.add(report);
    if (report instanceof Report.StepReport && report.step() == stopStep) {
      stop.request();
    }
    if (report instanceof Report.SkipReport && stopAtSkip) {
      stop.request();
    }
  }

  /** Runs, and asks it to stop when it skips a step. */
  public Outcome stopAfterSkip() {
    stopAtSkip = true;
    return finetune.run();
  }

  /** Runs, and asks it to stop during a step. */
  public Outcome stopAfter(long step) {
    stopStep = step;
    return finetune.run();
  }

  /** The checkpoints of the run. */
  public Checkpoints checkpoints() {
    return checkpoints;
  }

  /** All trained weights. */
  public float[] weights() {
    return model.parameters().weights().toFloats();
  }

  /** The reports of one kind. */
  public <R extends Report> List<R> reports(Class<R> kind) {
    return reports.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  @Override
  public void close() {
    scope.close();
    kernels.close();
  }

  /** Keeps the flat weights in one file. */
  private record WeightsFile(ToyLm model) implements ModelFiles {
    @Override
    public void save(Path folder) throws IOException {
      SafetensorsWriter.write(
          folder.resolve("model.safetensors"),
          Map.of("weights", model.parameters().weights()),
          Map.of());
    }

    @Override
    public void load(Path folder) throws IOException {
      try (SafetensorsFile file = Safetensors.open(folder.resolve("model.safetensors"))) {
        model.parameters().weights().put(file.tensor("weights").toFloats());
      }
    }
  }
}
