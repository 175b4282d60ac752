package dev.nibble.trainer.train;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.nio.file.Path;
import java.util.Optional;

/** Training cannot go on. The message names the step, what was found and what to do. */
public final class TrainingException extends NibbleException {
  private static final long serialVersionUID = 1L;

  TrainingException(String problem, Remedy remedy) {
    super(Fault.USER, problem, Optional.of(remedy));
  }

  /** Nothing can be learned, and nothing has been: the model or the data are at fault. */
  static TrainingException nothingToStartFrom(long step, String problem) {
    return new TrainingException(
        "step %d: %s. No update has been made yet, so what is wrong lies in the model or the data"
            .formatted(step, problem),
        Remedy.OTHER_SAMPLES_OR_MODEL);
  }

  /** Too many steps were not finite; what was learned until then is in a checkpoint. */
  static TrainingException tooManySkipped(
      long step, String problem, long skipped, Optional<Path> saved) {
    return new TrainingException(
        "step %d: %s. Its update was not made, and %s before, as many as may be%s"
            .formatted(
                step,
                problem,
                skipped == 2
                    ? "1 step was skipped"
                    : "%d steps were skipped".formatted(skipped - 1),
                kept(saved)),
        Remedy.OTHER_SAMPLES_OR_GENTLER_TRAINING);
  }

  /** An update made weights that are not finite. */
  static TrainingException weightsLost(long step, double learningRate, Optional<Path> saved) {
    return new TrainingException(
        "the update of step %d, at a learning rate of %s, made weights that are not finite, so it was not saved%s"
            .formatted(step, learningRate, kept(saved)),
        Remedy.GENTLER_TRAINING);
  }

  private static String kept(Optional<Path> saved) {
    return saved.map(folder -> ". What was learned before is in " + folder).orElse("");
  }
}
