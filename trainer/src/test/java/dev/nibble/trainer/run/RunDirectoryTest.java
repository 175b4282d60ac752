package dev.nibble.trainer.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.trainer.run.RunDirectory.Mode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RunDirectoryTest {
  private static final RunSettings FIRST = Runs.settings("2e-4", 2);
  private static final RunSettings OTHER = Runs.settings("1e-4", 2);

  @TempDir Path dir;

  @Test
  void makesTheFolderAndTakesAnEmptyOne() throws IOException {
    Path folder = dir.resolve("out/run");
    try (RunDirectory run = RunDirectory.open(folder, FIRST, Mode.START)) {
      assertThat(run.path()).isDirectory();
      assertThat(run.metrics()).isEqualTo(folder.resolve("metrics.jsonl"));
    }
    assertThat(folder).as("nothing began").doesNotExist();
    Files.createDirectory(folder);
    RunDirectory.open(folder, FIRST, Mode.START).close();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void refusesTheFolderOfAnotherRun() throws IOException {
    Runs.stopped(dir, FIRST, 10);
    assertThatThrownBy(() -> RunDirectory.open(dir, OTHER, Mode.START))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("a run of another recipe")
        .hasMessageContaining("verwrite it")
        .hasMessageNotContaining("Resume it");
    assertThatThrownBy(() -> RunDirectory.open(dir, OTHER, Mode.RESUME))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("rate: 2e-4 there, 1e-4 now")
        .hasMessageContaining("that run's own settings");
    assertThat(names(dir)).doesNotContain(FolderLock.NAME);
  }

  @Test
  void theSameRunMayContinueButNotStartAgainUnasked() throws IOException {
    Runs.stopped(dir, FIRST, 10);
    assertThatThrownBy(() -> RunDirectory.open(dir, FIRST, Mode.START))
        .hasMessageContaining("a run of this recipe")
        .hasMessageContaining("Resume it")
        .hasMessageContaining("verwrite it");
    try (RunDirectory run = RunDirectory.open(dir, FIRST, Mode.RESUME)) {
      assertThat(run.latestCheckpoint()).contains(dir.resolve("checkpoint-10"));
    }
  }

  @Test
  void aRunCanBeMadeLongerAndNotShorter() throws IOException {
    Runs.stopped(dir, FIRST, 10);
    RunDirectory.open(dir, Runs.settings("2e-4", 3), Mode.RESUME).close();
    assertThatThrownBy(() -> RunDirectory.open(dir, Runs.settings("2e-4", 1), Mode.RESUME))
        .hasMessageContaining("epochs: 2 there, 1 now; a run can be made longer, not shorter");
  }

  @Test
  void aRunThatHasSavedNothingIsInNobodysWay() throws IOException {
    Runs.begun(dir, FIRST);
    try (RunDirectory run = RunDirectory.open(dir, FIRST, Mode.RESUME)) {
      assertThat(run.latestCheckpoint()).isEmpty();
    }
    RunDirectory.open(dir, OTHER, Mode.START).close();
    assertThat(dir).isEmptyDirectory();
  }

  @Test
  void resumesWhereARunWasKilledBeforeItBegan() throws IOException {
    Files.writeString(dir.resolve(FolderLock.NAME), "");
    RunDirectory.open(dir, FIRST, Mode.RESUME).close();
    Files.writeString(dir.resolve("recipe.resolved.yaml"), "half");
    RunDirectory.open(dir, FIRST, Mode.RESUME).close();
    RunDirectory.open(dir, FIRST, Mode.START).close();
  }

  @Test
  void refusesToResumeWhereNothingRan() {
    assertThatThrownBy(() -> RunDirectory.open(dir, FIRST, Mode.RESUME))
        .hasMessageContaining("holds no run to resume");
    Path missing = dir.resolve("missing");
    assertThatThrownBy(() -> RunDirectory.open(missing, FIRST, Mode.RESUME))
        .hasMessageContaining("holds no run to resume");
    assertThat(missing).doesNotExist();
  }

  @Test
  void refusesAFolderOfOtherThings() throws IOException {
    Path file = Files.writeString(dir.resolve("thesis.tex"), "years of work");
    for (Mode mode : List.of(Mode.START, Mode.OVERWRITE)) {
      assertThatThrownBy(() -> RunDirectory.open(dir, FIRST, mode))
          .hasMessageContaining("is not empty");
    }
    assertThatThrownBy(() -> RunDirectory.open(file, FIRST, Mode.START))
        .hasMessageContaining("is a file");
    assertThatThrownBy(() -> RunDirectory.open(file.resolve("run"), FIRST, Mode.START))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("cannot be used");
    assertThat(names(dir)).containsExactly("thesis.tex");
  }

  /** An adapter from elsewhere has the names of ours, and belongs to no run. */
  @Test
  void refusesToOverwriteWhatNoRunWrote() throws IOException {
    Files.writeString(dir.resolve("adapter_config.json"), "{}");
    Files.writeString(dir.resolve("adapter_model.safetensors"), "weights");
    assertThatThrownBy(() -> RunDirectory.open(dir, FIRST, Mode.OVERWRITE))
        .hasMessageContaining("is no run");
    assertThat(names(dir)).containsExactly("adapter_config.json", "adapter_model.safetensors");
  }

  @Test
  void aReplacedRunStaysUntilTheFirstCheckpoint() throws IOException {
    Runs.finished(dir, FIRST, 10);
    Files.writeString(dir.resolve("thesis.tex"), "years of work");
    List<String> before = names(dir);

    try (RunDirectory run = RunDirectory.open(dir, OTHER, Mode.OVERWRITE)) {
      assertThat(run.run().orElseThrow().settings()).isEqualTo(FIRST);
    }
    assertThat(names(dir)).as("it never began").isEqualTo(before);

    try (RunDirectory run = RunDirectory.open(dir, OTHER, Mode.OVERWRITE)) {
      run.begin("new", Runs.provenance(OTHER));
      assertThat(dir.resolve("adapter_config.json")).doesNotExist();
      assertThatThrownBy(() -> TrainedWeights.in(dir, false))
          .hasMessageContaining("the run that it replaces is in " + dir.resolve("replaced-run"));
    }
    assertThat(names(dir)).as("it saved nothing").isEqualTo(before);
    assertThat(Provenance.read(dir).orElseThrow().settings()).isEqualTo(FIRST);

    try (RunDirectory run = RunDirectory.open(dir, OTHER, Mode.OVERWRITE)) {
      run.begin("new", Runs.provenance(OTHER));
      Runs.checkpoint(dir, 5);
      run.checkpointWritten();
    }
    assertThat(names(dir))
        .containsExactly("checkpoint-5", "provenance.json", "recipe.resolved.yaml", "thesis.tex");
    assertThat(Provenance.read(dir).orElseThrow().settings()).isEqualTo(OTHER);
  }

  @Test
  void aFinishedRunThatTrainsFurtherIsNoLongerFinished() throws IOException {
    Runs.finished(dir, FIRST, 10);
    assertThat(TrainedWeights.in(dir, false).isCheckpoint()).isFalse();
    try (RunDirectory run = RunDirectory.open(dir, Runs.settings("2e-4", 3), Mode.RESUME)) {
      run.dropResult();
    }
    assertThat(TrainedWeights.in(dir, false).folder()).isEqualTo(dir.resolve("checkpoint-10"));
  }

  @Test
  void cleansUpAfterAKilledRun() throws IOException {
    Runs.stopped(dir, FIRST, 10);
    for (String folder : List.of("checkpoint-20.tmp", "checkpoint-5.old.tmp")) {
      Files.createDirectories(dir.resolve(folder).resolve("unconverted"));
    }
    for (String file : List.of("metrics.jsonl.tmp", "optimizer.pages", FolderLock.NAME)) {
      Files.writeString(dir.resolve(file), "");
    }
    Files.writeString(dir.resolve("thesis.tex.tmp"), "years of work");
    RunDirectory.open(dir, FIRST, Mode.RESUME).close();
    assertThat(names(dir))
        .containsExactly(
            "checkpoint-10",
            "metrics.jsonl",
            "provenance.json",
            "recipe.resolved.yaml",
            "thesis.tex.tmp");
  }

  @Test
  void saysSoWhenTheProvenanceIsDamaged() throws IOException {
    Runs.stopped(dir, FIRST, 10);
    for (String text : List.of("{\"recipe", "{}")) {
      Files.writeString(dir.resolve("provenance.json"), text);
      assertThatThrownBy(() -> RunDirectory.open(dir, FIRST, Mode.RESUME))
          .isInstanceOf(RunException.class)
          .hasMessageContaining("provenance.json is damaged");
    }
    try (RunDirectory run = RunDirectory.open(dir, FIRST, Mode.OVERWRITE)) {
      run.begin("new", Runs.provenance(FIRST));
      Runs.checkpoint(dir, 5);
      run.checkpointWritten();
    }
    assertThat(Provenance.read(dir)).isPresent();
  }

  @Test
  void inputsCountByTheirContent() throws IOException {
    Path rows = Files.writeString(dir.resolve("rows.jsonl"), "one");
    Path run = dir.resolve("run");
    RunSettings settings = FIRST;
    try (RunDirectory directory = RunDirectory.open(run, settings, Mode.START)) {
      directory.begin("recipe", Runs.provenance(settings, input(rows)));
      Runs.checkpoint(run, 1);
    }
    Path moved = Files.move(rows, dir.resolve("moved.jsonl"));
    try (RunDirectory directory = RunDirectory.open(run, settings, Mode.RESUME)) {
      directory.requireSameInputs(List.of(input(moved)));
      Files.writeString(moved, "two");
      assertThatThrownBy(() -> directory.requireSameInputs(List.of(input(moved))))
          .isInstanceOf(RunException.class)
          .hasMessageContaining("rows: " + moved + " has changed")
          .hasMessageContaining("it had 3 bytes and SHA-256 7692c3ad3540…")
          .hasMessageContaining("now it has 3 bytes and SHA-256 3fc4ccfe7458…");
    }
  }

  private static RunInput input(Path file) throws IOException {
    return new RunInput("rows", file.toString(), List.of(FileDigest.of("rows.jsonl", file)));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }
}
