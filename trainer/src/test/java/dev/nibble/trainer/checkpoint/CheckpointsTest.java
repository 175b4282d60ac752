package dev.nibble.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.trainer.optim.Lion;
import dev.nibble.trainer.optim.Rates;
import dev.nibble.trainer.optim.StateMemory;
import dev.nibble.trainer.toy.ToyData;
import dev.nibble.trainer.toy.ToyRun;
import dev.nibble.trainer.train.TrainingPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CheckpointsTest {
  private static final TrainingPlan PLAN = new TrainingPlan(6, 1, 1, 0, 2);

  @TempDir Path dir;

  @Test
  void keepsTheNewest() throws IOException {
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      run.finetune.run();
    }
    assertThat(names(dir)).containsExactly("checkpoint-4", "checkpoint-6");
    assertThat(Checkpoints.latest(dir)).contains(dir.resolve("checkpoint-6"));
    assertThat(names(dir.resolve("checkpoint-6")))
        .containsExactly("model.safetensors", "optimizer.safetensors", "trainer_state.json");
  }

  @Test
  void keepsAllWhenToldSo() throws IOException {
    try (ToyRun run = new ToyRun(dir, PLAN, ToyRun.VOCAB, ToyData.chains(3, ToyRun.VOCAB, 1), 0)) {
      run.finetune.run();
    }
    assertThat(names(dir)).containsExactly("checkpoint-2", "checkpoint-4", "checkpoint-6");
  }

  @Test
  void namesTheMomentsAfterTheirParameters() {
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      run.finetune.run();
    }
    try (SafetensorsFile file =
        Safetensors.open(dir.resolve("checkpoint-6").resolve(OptimizerFile.NAME))) {
      assertThat(file.names())
          .containsExactlyInAnyOrder(
              "table.exp_avg", "table.exp_avg_sq", "bias.exp_avg", "bias.exp_avg_sq");
      assertThat(file.tensor("table.exp_avg").shape().dims())
          .containsExactly(ToyRun.VOCAB, ToyRun.VOCAB);
    }
  }

  @Test
  void passesOverFoldersThatAreNotComplete() throws IOException {
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      run.finetune.run();
    }
    Files.createDirectory(dir.resolve("checkpoint-8"));
    Files.createDirectory(dir.resolve("checkpoint-9.tmp"));
    Files.createDirectory(dir.resolve("checkpoint-x"));

    assertThat(Checkpoints.latest(dir)).contains(dir.resolve("checkpoint-6"));
    assertThat(Checkpoints.latest(dir.resolve("nowhere"))).isEmpty();
  }

  @Test
  void replacesACheckpointOfTheSameStep() throws IOException {
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      run.finetune.run();
      Files.createDirectory(dir.resolve("checkpoint-6").resolve("leftover"));
    }
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      run.finetune.resumeFrom(dir.resolve("checkpoint-4"));
      run.finetune.run();
    }
    assertThat(names(dir)).containsExactly("checkpoint-4", "checkpoint-6");
    assertThat(names(dir.resolve("checkpoint-6"))).doesNotContain("leftover");
  }

  @Test
  void aFullDiskLeavesEarlierCheckpointsWhole() throws IOException {
    Path full = Path.of("/dev/full");
    Assumptions.assumeTrue(Files.exists(full), "only Linux has a file that is always full");
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      run.finetune.run();
      TrainerState state = TrainerStateFile.read(dir.resolve("checkpoint-6"));
      byte[] earlier = Files.readAllBytes(dir.resolve("checkpoint-6").resolve("model.safetensors"));
      Checkpoints checkpoints =
          new Checkpoints(dir, 1, new FailingFiles(full), run.optimizer, run.kernels);

      assertThatThrownBy(() -> checkpoints.save(state))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("checkpoint of step 6 cannot be written")
          .hasMessageContaining("No space left on device")
          .hasMessageContaining("Earlier checkpoints are whole");
      assertThat(names(dir)).containsExactly("checkpoint-4", "checkpoint-6");
      assertThat(dir.resolve("checkpoint-6").resolve("model.safetensors"))
          .hasBinaryContent(earlier);
    }
  }

  @Test
  void aFolderThatIsTakenAwayStaysAway() throws IOException {
    Path out = dir.resolve("out");
    try (ToyRun run = new ToyRun(out, PLAN)) {
      Files.move(out, dir.resolve("moved"));
      assertThatThrownBy(run.finetune::run)
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(out + " was deleted or moved while the run was under way");
      assertThat(out).doesNotExist();
    }
  }

  @Test
  void theBestStaysAndWhatAnEarlierCourseLeftGoes() throws IOException {
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      TrainerState.Run of = new TrainerState.Run(9, 1, 1, 56);
      for (long step : new long[] {1, 2, 3, 4, 5}) {
        TrainerState.Best best = new TrainerState.Best(Math.min(step, 2), 1);
        run.checkpoints().save(state(step, of, best));
      }
      assertThat(names(dir)).containsExactly("checkpoint-2", "checkpoint-4", "checkpoint-5");
      assertThat(Checkpoints.best(dir)).contains(dir.resolve("checkpoint-2"));
      run.checkpoints().save(state(3, of, new TrainerState.Best(3, 0.5)));
      assertThat(names(dir)).containsExactly("checkpoint-2", "checkpoint-3");
      assertThat(Checkpoints.best(dir)).contains(dir.resolve("checkpoint-3"));
    }
  }

  private static TrainerState state(long step, TrainerState.Run run, TrainerState.Best best) {
    return new TrainerState(step, 0, 0.5, run, 0, step, 0, 0, best, List.of(), 0);
  }

  @Test
  void refusesACheckpointOfAnotherPlan() {
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      run.finetune.run();
    }
    try (ToyRun run = new ToyRun(dir, new TrainingPlan(4, 2, 9, 0, 2))) {
      float[] before = run.weights();
      assertThatThrownBy(() -> run.finetune.resumeFrom(dir.resolve("checkpoint-6")))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("checkpoint-6 is of another run")
          .hasMessageContaining("total steps: 6 there, 4 now; a run can be made longer")
          .hasMessageContaining("micro-batches a step: 1 there, 2 now")
          .hasMessageContaining("seed: 1 there, 9 now");
      assertThat(run.weights()).isEqualTo(before);
    }
  }

  @Test
  void refusesACheckpointOfAnotherModel() {
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      run.finetune.run();
    }
    try (ToyRun run = new ToyRun(dir, PLAN, 9, ToyData.chains(2, ToyRun.VOCAB, 1), 0)) {
      Path folder = dir.resolve("checkpoint-6");
      assertThatThrownBy(() -> run.finetune.resumeFrom(folder))
          .hasMessageContaining("trained weights: 56 there, 90 now");
      assertThatThrownBy(() -> OptimizerFile.read(folder, run.optimizer, 6))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("trains other parameters")
          .hasMessageContaining("table.exp_avg is F32[7, 7], the run has F32[9, 9]");
    }
  }

  @Test
  void refusesTheStateOfAnotherOptimizer() {
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      run.finetune.run();
      Path folder = dir.resolve("checkpoint-6");
      Lion.Settings settings = new Lion.Settings(0.9, 0.99, 0);
      try (Scope scope = Scope.open("other", run.kernels.memory());
          Lion lion =
              new Lion(
                  run.kernels,
                  run.model.parameters(),
                  settings,
                  Rates.EQUAL,
                  StateMemory.resident(scope))) {
        assertThatThrownBy(() -> OptimizerFile.read(folder, lion, 6))
            .isInstanceOf(CheckpointException.class)
            .hasMessageContaining("holds the state of optimizer adamw, the run has lion")
            .hasMessageContaining(OptimizerFile.NAME);
      }
    }
  }

  @Test
  void noticesDamage() throws IOException {
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      run.finetune.run();
    }
    Path two = dir.resolve("checkpoint-4");
    Path six = dir.resolve("checkpoint-6");
    Files.copy(
        two.resolve("model.safetensors"),
        six.resolve("model.safetensors"),
        StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(two.resolve(TrainerStateFile.NAME), "{\"step\": 4");
    try (ToyRun run = new ToyRun(dir, PLAN)) {
      assertThatThrownBy(() -> run.finetune.resumeFrom(six))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("checkpoint-6 holds other weights than were saved with it");
      assertThatThrownBy(() -> run.finetune.resumeFrom(two))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("trainer_state.json is damaged");
      Files.writeString(two.resolve(TrainerStateFile.NAME), "{\"step\": 4}");
      assertThatThrownBy(() -> run.finetune.resumeFrom(two))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("trainer_state.json is damaged");
      assertThatThrownBy(() -> run.finetune.resumeFrom(dir))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("is no checkpoint: it has no trainer_state.json");
      Files.writeString(six.resolve(OptimizerFile.NAME), "short");
      assertThatThrownBy(() -> run.finetune.resumeFrom(six))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("cannot be read")
          .hasMessageContaining("Resume from an earlier checkpoint");
    }
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  /** Writes one file, and a second to a disk that is full. */
  private record FailingFiles(Path full) implements ModelFiles {
    @Override
    public void save(Path folder) throws IOException {
      Files.writeString(folder.resolve("adapter_config.json"), "{}");
      Files.writeString(full, "weights");
    }

    @Override
    public void load(Path folder) {
      throw new AssertionError("nothing to load");
    }
  }
}
