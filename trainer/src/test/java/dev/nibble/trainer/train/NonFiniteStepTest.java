package dev.nibble.trainer.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.errors.Remedy;
import dev.nibble.trainer.checkpoint.Checkpoints;
import dev.nibble.trainer.toy.ToyLoss;
import dev.nibble.trainer.toy.ToyRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Steps whose loss or gradient is NaN or infinite. */
final class NonFiniteStepTest {
  private static final int STEPS = 12;
  private static final int BATCHES = 6;

  // Only row 4 has so many tokens.
  private static final int LONG = 9;

  @TempDir Path dir;

  /** Two samples a batch: rows 0 and 1, 2 and 3, …. */
  private static List<Batch> batches() {
    List<Batch> batches = new ArrayList<>();
    for (int b = 0; b < BATCHES; b++) {
      int row = 2 * b;
      batches.add(
          Batch.of(List.of(sample(row == 4 ? LONG : 3), sample(4)))
              .from(List.of("rows.jsonl, row " + row, "rows.jsonl, row " + (row + 1))));
    }
    return batches;
  }

  private static Sample sample(int length) {
    boolean[] supervised = new boolean[length];
    Arrays.fill(supervised, 1, length, true);
    return new Sample(
        IntStream.range(0, length).map(i -> (length + i) % ToyRun.VOCAB).toArray(), supervised);
  }

  private static boolean isPoisoned(Batch batch) {
    return IntStream.range(0, batch.samples())
        .anyMatch(s -> batch.starts()[s + 1] - batch.starts()[s] == LONG);
  }

  private ToyRun run(String name, long most) {
    return new ToyRun(
        dir.resolve(name),
        new TrainingPlan(STEPS, 2, 1, false, 0, 0, most, 0),
        ToyRun.VOCAB,
        batches(),
        0,
        new ToyLoss(NonFiniteStepTest::isPoisoned));
  }

  @Test
  void stepsThatAreNotFiniteAreSkippedAndTheirRowsNamed() {
    try (ToyRun run = run("skips", 10)) {
      assertThat(run.finetune.run()).isInstanceOf(Outcome.Finished.class);

      List<Report.SkipReport> skips = run.reports(Report.SkipReport.class);
      assertThat(skips).hasSize(4); // one an epoch of three steps
      assertThat(skips).extracting(Report.SkipReport::skipped).containsExactly(1L, 2L, 3L, 4L);
      assertThat(skips)
          .extracting(Report.SkipReport::problem)
          .containsOnly(
              "the loss is NaN for 1 of its 4 samples (rows.jsonl, row 4), first in the loss");
      List<Report.StepReport> steps = run.reports(Report.StepReport.class);
      assertThat(steps).hasSize(STEPS - 4).allMatch(s -> Double.isFinite(s.loss()));
      assertThat(run.optimizer.steps()).isEqualTo(STEPS - 4);
      for (float weight : run.weights()) {
        assertThat(weight).isFinite();
      }
    }
  }

  @Test
  void aRunThatSkippedGoesOnToTheBit() {
    float[] straight;
    try (ToyRun run = run("straight", 10)) {
      run.finetune.run();
      straight = run.weights();
    }
    Path output = dir.resolve("stopped");
    try (ToyRun run = run("stopped", 10)) {
      run.stopAfterSkip();
      assertThat(run.reports(Report.SkipReport.class)).hasSize(1);
    }
    try (ToyRun run = run("stopped", 10)) {
      run.finetune.resumeFrom(Checkpoints.latest(output).orElseThrow());
      run.finetune.run();
      assertThat(run.weights()).isEqualTo(straight);
      assertThat(run.reports(Report.SkipReport.class).getLast().skipped()).isEqualTo(4);
    }
  }

  @Test
  void moreThanMayBeSkippedEndTheRunWithACheckpoint() {
    try (ToyRun run = run("limit", 1)) {
      assertThatThrownBy(run.finetune::run)
          .isInstanceOfSatisfying(
              TrainingException.class,
              e -> assertThat(e.remedy()).contains(Remedy.OTHER_SAMPLES_OR_GENTLER_TRAINING))
          .hasMessageContaining("rows.jsonl, row 4")
          .hasMessageContaining("1 step was skipped before, as many as may be")
          .hasMessageContaining("checkpoint-");
      Path kept = Checkpoints.latest(dir.resolve("limit")).orElseThrow();
      float[] weights = run.weights();
      try (ToyRun resumed = run("limit", 10)) {
        resumed.finetune.resumeFrom(kept);
        assertThat(resumed.weights()).isEqualTo(weights);
        assertThat(resumed.finetune.run()).isInstanceOf(Outcome.Finished.class);
      }
    }
  }

  /** A learning rate cannot be at fault before it was used. */
  @Test
  void aModelThatNeverWasFiniteIsNamedAtOnce() {
    try (ToyRun run = run("model", 10)) {
      run.model.parameters().named("bias").weight().setFloat(0, Double.NaN);

      assertThatThrownBy(run.finetune::run)
          .isInstanceOfSatisfying(
              TrainingException.class,
              e -> assertThat(e.remedy()).contains(Remedy.OTHER_SAMPLES_OR_MODEL))
          .hasMessageContaining("step 1: the loss is NaN for all of its 4 samples")
          .hasMessageContaining("first in bias")
          .hasMessageContaining("No update has been made yet");
      assertThat(Checkpoints.latest(dir.resolve("model"))).isEmpty();
    }
  }

  @Test
  void validationThatIsNotFiniteEndsTheRunWithACheckpoint() {
    ToyLoss poisonedLater =
        new ToyLoss(batch -> batch.places().isEmpty()); // those of the validation data
    try (ToyRun run =
        new ToyRun(
            dir, new TrainingPlan(STEPS, 2, 1, 3, 0), ToyRun.VOCAB, batches(), 0, poisonedLater)) {
      assertThatThrownBy(run.finetune::run).hasMessageContaining("the validation loss is NaN");
      assertThat(Checkpoints.latest(dir)).contains(dir.resolve("checkpoint-3"));
    }
  }
}
