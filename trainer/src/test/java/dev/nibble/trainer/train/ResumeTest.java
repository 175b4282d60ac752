package dev.nibble.trainer.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.trainer.checkpoint.Checkpoints;
import dev.nibble.trainer.toy.ToyRun;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * 2N steps give the same bits as N steps, a new process's worth of new objects, and N steps more.
 */
final class ResumeTest {
  /**
   * Seven micro-batches an epoch and three a step: the last step of each of four epochs takes one.
   */
  private static final TrainingPlan PLAN = new TrainingPlan(12, 3, 42, 4, 0);

  @TempDir Path dir;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 6, 7, 11})
  void goesOnToTheBit(int stopAfter) {
    float[] straight;
    Map<String, float[]> moments;
    List<Double> losses;
    try (ToyRun run = new ToyRun(dir.resolve("straight"), PLAN)) {
      run.finetune.run();
      straight = run.weights();
      moments = moments(run);
      losses = losses(run);
    }

    Path output = dir.resolve("stopped");
    Path checkpoint;
    try (ToyRun run = new ToyRun(output, PLAN)) {
      Outcome outcome = run.stopAfter(stopAfter);
      assertThat(outcome).isInstanceOf(Outcome.Interrupted.class);
      checkpoint = Checkpoints.latest(output).orElseThrow();
      assertThat(checkpoint).hasFileName("checkpoint-" + stopAfter);
    }
    try (ToyRun run = new ToyRun(output, PLAN)) {
      run.finetune.resumeFrom(checkpoint);
      Outcome outcome = run.finetune.run();

      assertThat(outcome).isInstanceOf(Outcome.Finished.class);
      assertThat(run.weights()).isEqualTo(straight);
      moments(run).forEach((name, m) -> assertThat(m).as(name).isEqualTo(moments.get(name)));
      assertThat(losses(run)).isEqualTo(losses.subList(stopAfter, losses.size()));
      Report.ResumeReport resumed = run.reports(Report.ResumeReport.class).getFirst();
      assertThat(resumed.step()).isEqualTo(stopAfter);
      assertThat(resumed.state().history()).hasSize(stopAfter + stopAfter / 4);
    }
  }

  private static Map<String, float[]> moments(ToyRun run) {
    Map<String, float[]> moments = new HashMap<>();
    try (HostCopies host = new HostCopies(run.kernels)) {
      run.optimizer.state().save(host).forEach((name, m) -> moments.put(name, m.toFloats()));
    }
    assertThat(moments).hasSize(4);
    return moments;
  }

  private static List<Double> losses(ToyRun run) {
    return run.reports(Report.StepReport.class).stream().map(Report.StepReport::loss).toList();
  }
}
