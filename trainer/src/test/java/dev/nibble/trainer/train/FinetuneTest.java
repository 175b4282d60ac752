package dev.nibble.trainer.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.data.Batch;
import dev.nibble.trainer.checkpoint.Checkpoints;
import dev.nibble.trainer.checkpoint.TrainerState;
import dev.nibble.trainer.toy.ToyData;
import dev.nibble.trainer.toy.ToyLoss;
import dev.nibble.trainer.toy.ToyRun;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FinetuneTest {
  @TempDir Path dir;

  @Test
  void learnsTheChain() {
    try (ToyRun run = new ToyRun(dir, new TrainingPlan(150, 2, 1, 50, 0))) {
      Outcome outcome = run.finetune.run();

      assertThat(outcome).isInstanceOf(Outcome.Finished.class);
      assertThat(outcome.step()).isEqualTo(150);
      List<Report.StepReport> steps = run.reports(Report.StepReport.class);
      assertThat(steps).hasSize(150);
      assertThat(steps.getFirst().loss()).isCloseTo(Math.log(ToyRun.VOCAB), within(1e-6));
      List<Report.EvaluationReport> evaluations = run.reports(Report.EvaluationReport.class);
      assertThat(evaluations).extracting(Report::step).containsExactly(50L, 100L, 150L);
      assertThat(evaluations.getLast().loss()).isLessThan(0.1);
      assertThat(evaluations.getLast().perplexity())
          .isCloseTo(Math.exp(evaluations.getLast().loss()), within(1e-12));
      assertThat(evaluations).allMatch(Report.EvaluationReport::isBest);
    }
  }

  @Test
  void reportsWhatHappened() {
    List<Batch> batches = ToyData.chains(3, ToyRun.VOCAB, 3);
    try (ToyRun run = new ToyRun(dir, new TrainingPlan(4, 2, 1, 0, 0), ToyRun.VOCAB, batches, 0)) {
      run.finetune.run();

      List<Report.StepReport> steps = run.reports(Report.StepReport.class);
      assertThat(steps).extracting(Report::step).containsExactly(1L, 2L, 3L, 4L);
      assertThat(steps).extracting(Report.StepReport::steps).containsOnly(4L);
      assertThat(steps.stream().mapToLong(Report.StepReport::tokens).sum())
          .isEqualTo(2L * batches.stream().mapToInt(Batch::length).sum());
      assertThat(steps.stream().mapToLong(Report.StepReport::supervisedTokens).sum())
          .isEqualTo(2L * batches.stream().mapToInt(Batch::supervisedTokens).sum());
      assertThat(steps)
          .extracting(Report.StepReport::epoch)
          .containsExactly(2 / 3.0, 1.0, 1 + 2 / 3.0, 2.0);
      // Cosine to a tenth, with two steps of warm-up from 0.
      assertThat(steps)
          .extracting(Report.StepReport::learningRate)
          .containsExactly(0.0, 0.05, 0.1, 0.1 * (0.1 + 0.9 * 0.5));
      assertThat(steps.getLast().secondsLeft()).isZero();
      assertThat(steps).allMatch(s -> s.gradientNorm() > 0 && s.tokensPerSecond() > 0);
      assertThat(run.reports.getLast()).isInstanceOf(Report.CheckpointReport.class);
    }
  }

  /** Accumulation over more than an epoch makes a step of each epoch, not of several. */
  @Test
  void noStepTakesSamplesOfTwoEpochs() {
    List<Batch> batches = ToyData.chains(7, ToyRun.VOCAB, 3);
    long tokens = batches.stream().mapToInt(Batch::length).sum();
    try (ToyRun run = new ToyRun(dir, new TrainingPlan(2, 16, 1, 0, 0), ToyRun.VOCAB, batches, 0)) {
      run.finetune.run();

      List<Report.StepReport> steps = run.reports(Report.StepReport.class);
      assertThat(steps).extracting(Report.StepReport::tokens).containsExactly(tokens, tokens);
      assertThat(steps).extracting(Report.StepReport::epoch).containsExactly(1.0, 2.0);
    }
  }

  @Test
  void accumulationDividesOnceByAllSupervisedTokens() {
    Batch one = ToyData.chains(1, ToyRun.VOCAB, 1).getFirst();
    Batch two = ToyData.chains(1, ToyRun.VOCAB, 2).getFirst();
    assertThat(one.supervisedTokens()).isNotEqualTo(two.supervisedTokens());
    try (ToyRun run =
        new ToyRun(dir, new TrainingPlan(1, 2, 1, 0, 0), ToyRun.VOCAB, List.of(one, two), 0)) {
      run.finetune.run();

      // All weights are 0, so the gradient of the bias is the sum of (1/V - [v is the target]).
      double[] expected = new double[ToyRun.VOCAB];
      int supervised = one.supervisedTokens() + two.supervisedTokens();
      for (Batch b : List.of(one, two)) {
        for (int target : b.targets()) {
          for (int v = 0; v < ToyRun.VOCAB && target != Batch.IGNORE; v++) {
            expected[v] += (1.0 / ToyRun.VOCAB - (v == target ? 1 : 0)) / supervised;
          }
        }
      }
      double norm = run.reports(Report.StepReport.class).getFirst().gradientNorm();
      double clipped = Math.min(1, 0.5 / (norm + 1e-6));
      float[] bias = run.model.parameters().named("bias").gradient().toFloats();
      for (int v = 0; v < ToyRun.VOCAB; v++) {
        assertThat((double) bias[v]).isCloseTo(expected[v] * clipped, within(1e-6));
      }
    }
  }

  @Test
  void everyForwardPassHasItsOwnDropoutSeedThatDependsOnTheRunsSeed() {
    try (ToyRun a = new ToyRun(dir.resolve("a"), new TrainingPlan(4, 3, 1, 0, 0));
        ToyRun b = new ToyRun(dir.resolve("b"), new TrainingPlan(4, 3, 2, 0, 0))) {
      a.finetune.run();
      b.finetune.run();

      assertThat(new HashSet<>(a.model.seeds())).hasSize(3 + 3 + 1 + 3);
      assertThat(a.model.seeds()).doesNotContainAnyElementsOf(b.model.seeds());
    }
  }

  @Test
  void endsWhenTheValidationLossHasStoppedFalling() {
    TrainingPlan patient = new TrainingPlan(150, 2, 1, false, 5, 0, 0, 2);
    ToyLoss constant = ToyLoss.measuring(1);
    try (ToyRun run =
        new ToyRun(dir, patient, ToyRun.VOCAB, ToyData.chains(7, ToyRun.VOCAB, 3), 0, constant)) {
      Outcome outcome = run.finetune.run();

      assertThat(outcome).isInstanceOf(Outcome.Finished.class);
      assertThat(outcome.step()).isEqualTo(15); // best at 5, then 10 and 15
      assertThat(outcome.checkpoint()).contains(dir.resolve("checkpoint-15"));
      assertThat(run.reports.getLast()).isEqualTo(new Report.EarlyStopReport(15, 2, 5, 1));
    }
    try (ToyRun again = new ToyRun(dir, patient)) {
      again.finetune.resumeFrom(dir.resolve("checkpoint-15"));
      assertThat(again.finetune.run().step()).as("it has ended").isEqualTo(15);
    }
  }

  @Test
  void measuresTheStartOnceAndNeverAsTheBest() {
    TrainingPlan plan = new TrainingPlan(4, 1, 1, true, 2, 0, 0, 0);
    ToyLoss constant = ToyLoss.measuring(1);
    try (ToyRun run =
        new ToyRun(dir, plan, ToyRun.VOCAB, ToyData.chains(7, ToyRun.VOCAB, 3), 0, constant)) {
      run.stopAfter(3);

      assertThat(run.reports.getFirst()).isInstanceOf(Report.EvaluationReport.class);
      assertThat(run.reports(Report.EvaluationReport.class))
          .extracting(Report.EvaluationReport::step, Report.EvaluationReport::isBest)
          .containsExactly(tuple(0L, false), tuple(2L, true));
      assertThat(run.finetune.best().step()).isEqualTo(2);
    }
    try (ToyRun resumed = new ToyRun(dir, plan)) {
      resumed.finetune.resumeFrom(dir.resolve("checkpoint-3"));
      resumed.finetune.run();
      assertThat(resumed.reports(Report.EvaluationReport.class))
          .extracting(Report.EvaluationReport::step)
          .containsExactly(4L);
      assertThat(resumed.reports(Report.ResumeReport.class).getFirst().state().history())
          .extracting(TrainerState.Entry::step)
          .containsExactly(0L, 1L, 2L, 2L, 3L);
    }
  }

  @Test
  void theEvaluationOfTheStartChangesNoBit() {
    try (ToyRun plain = new ToyRun(dir.resolve("a"), new TrainingPlan(4, 3, 1, 2, 0));
        ToyRun measured =
            new ToyRun(dir.resolve("b"), new TrainingPlan(4, 3, 1, true, 2, 0, 0, 0))) {
      plain.finetune.run();
      measured.finetune.run();
      assertThat(measured.weights()).isEqualTo(plain.weights());
    }
  }

  @Test
  void stopsAfterTheRunningStepWithACheckpoint() {
    try (ToyRun run = new ToyRun(dir, new TrainingPlan(10, 1, 1, 0, 0))) {
      assertThat(run.stop.request()).isTrue();
      assertThat(run.stop.request()).isFalse();

      Outcome outcome = run.finetune.run();

      assertThat(outcome).isInstanceOf(Outcome.Interrupted.class);
      assertThat(outcome.step()).isEqualTo(1);
      assertThat(outcome.checkpoint()).contains(dir.resolve("checkpoint-1"));
      assertThat(Checkpoints.latest(dir)).isEqualTo(outcome.checkpoint());
      assertThat(run.reports.getLast()).isEqualTo(new Report.StopReport(1));
    }
  }

  @Test
  void aStepWithoutSupervisedTokensIsAnError() {
    int[] ignored = {Batch.IGNORE, Batch.IGNORE};
    Batch batch = new Batch(new int[] {1, 2}, ignored, new int[] {0, 1}, new int[] {0, 2});
    try (ToyRun run =
        new ToyRun(dir, new TrainingPlan(3, 1, 1, 0, 0), ToyRun.VOCAB, List.of(batch), 0)) {
      assertThatThrownBy(run.finetune::run)
          .isInstanceOf(TrainingException.class)
          .hasMessageContaining("step 1 has no token to train on among its 2 tokens");
    }
  }

  @Test
  void refusesPlansThatMakeNoSense() {
    assertThatThrownBy(() -> new TrainingPlan(0, 1, 1, 0, 0)).hasMessageContaining("steps");
    assertThatThrownBy(() -> new TrainingPlan(1, 0, 1, 0, 0)).hasMessageContaining("micro-batches");
    assertThatThrownBy(() -> new TrainingPlan(1, 1, 1, -1, 0)).hasMessageContaining("evaluations");
    assertThatThrownBy(() -> new TrainingPlan(1, 1, 1, 0, -1)).hasMessageContaining("checkpoints");
  }
}
