package dev.nibble.trainer.checkpoint;

import dev.nibble.errors.Remedy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A checkpoint may only go on in a run that would have made it. */
final class SameRun {
  private SameRun() {}

  static void check(Path folder, TrainerState.Run saved, TrainerState.Run now) {
    List<String> differences = new ArrayList<>();
    if (now.steps() < saved.steps()) {
      differences.add(
          "total steps: %d there, %d now; a run can be made longer, not shorter"
              .formatted(saved.steps(), now.steps()));
    }
    compare(differences, "micro-batches a step", saved.accumulation(), now.accumulation());
    compare(differences, "seed", saved.seed(), now.seed());
    compare(differences, "trained weights", saved.parameters(), now.parameters());
    if (!differences.isEmpty()) {
      throw new CheckpointException(
          "%s is of another run: %s".formatted(folder, String.join(", ", differences)),
          Remedy.RESUME_SAME_SETTINGS);
    }
  }

  private static void compare(List<String> differences, String what, long saved, long now) {
    if (saved != now) {
      differences.add("%s: %d there, %d now".formatted(what, saved, now));
    }
  }
}
