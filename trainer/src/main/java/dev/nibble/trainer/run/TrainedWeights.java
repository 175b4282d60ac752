package dev.nibble.trainer.run;

import dev.nibble.trainer.checkpoint.Checkpoints;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The weights that a run has trained so far.
 *
 * @param run its folder
 * @param folder of the weights: the run's own when it has finished, else a checkpoint's
 */
public record TrainedWeights(Path run, Path folder) {

  /** Whether they are a checkpoint's. */
  public boolean isCheckpoint() {
    return !folder.equals(run);
  }

  /**
   * The run that a folder is of: a run's folder, or that of a checkpoint in it. Empty when it is
   * neither.
   */
  public static Optional<Path> runOf(Path place) {
    Path absolute = place.toAbsolutePath().normalize();
    if (isRun(absolute)) {
      return Optional.of(absolute);
    }
    return Optional.ofNullable(absolute.getParent())
        .filter(parent -> Checkpoints.isComplete(absolute) && isRun(parent));
  }

  private static boolean isRun(Path folder) {
    return Files.isRegularFile(folder.resolve(RunFiles.RECIPE));
  }

  /**
   * The weights in a place that {@link #runOf} takes: a checkpoint's, a finished run's, or those of
   * a run's checkpoint.
   *
   * @param best whether a run that has not finished is stood for by its best checkpoint, and not by
   *     its newest
   * @throws RunException when the run has saved nothing yet
   */
  public static TrainedWeights in(Path place, boolean best) {
    Path absolute = place.toAbsolutePath().normalize();
    if (!isRun(absolute)) {
      return new TrainedWeights(runOf(place).orElseThrow(), absolute);
    }
    if (RunFiles.hasResult(absolute)) {
      return new TrainedWeights(absolute, absolute);
    }
    return Optional.of(absolute)
        .filter(run -> best)
        .flatMap(Checkpoints::best)
        .or(() -> Checkpoints.latest(absolute))
        .map(checkpoint -> new TrainedWeights(absolute, checkpoint))
        .orElseThrow(() -> nothing(absolute));
  }

  private static RunException nothing(Path run) {
    return new RunException(
        ReplacedRun.isIn(run)
            ? "%s holds a run that has saved nothing yet; the run that it replaces is in %s"
                .formatted(run, run.resolve(ReplacedRun.FOLDER))
            : "%s holds a run that has saved nothing yet".formatted(run));
  }
}
