package dev.nibble.trainer.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.trainer.run.RunDirectory.Mode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RunDirectoryTest {
  @TempDir Path dir;

  @Test
  void makesTheFolderAndTakesAnEmptyOne() {
    Path folder = dir.resolve("out/run");
    assertThat(RunDirectory.open(folder, "r1", Mode.START).path()).isDirectory();
    assertThat(RunDirectory.open(folder, "r1", Mode.START).metrics())
        .isEqualTo(folder.resolve("metrics.jsonl"));
  }

  @Test
  void refusesTheFolderOfAnotherRun() throws IOException {
    aRun("r1");
    assertThatThrownBy(() -> RunDirectory.open(dir, "r2", Mode.START))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("a run of another recipe")
        .hasMessageContaining("verwrite it")
        .hasMessageNotContaining("Resume it");
    assertThatThrownBy(() -> RunDirectory.open(dir, "r2", Mode.RESUME))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("a run of another recipe")
        .hasMessageContaining("that run's own settings");
  }

  @Test
  void theSameRunMayGoOnButNotStartAgainUnasked() throws IOException {
    aRun("r1");
    assertThatThrownBy(() -> RunDirectory.open(dir, "r1", Mode.START))
        .hasMessageContaining("a run of this recipe")
        .hasMessageContaining("Resume it")
        .hasMessageContaining("verwrite it");
    assertThat(RunDirectory.open(dir, "r1", Mode.RESUME).provenance()).exists();
  }

  @Test
  void refusesToResumeWhereNothingRan() {
    assertThatThrownBy(() -> RunDirectory.open(dir, "r1", Mode.RESUME))
        .hasMessageContaining("holds no run to resume");
  }

  @Test
  void refusesAFolderOfOtherThings() throws IOException {
    Files.writeString(dir.resolve("thesis.tex"), "years of work");
    assertThatThrownBy(() -> RunDirectory.open(dir, "r1", Mode.START))
        .hasMessageContaining("is not empty");
    Path file = dir.resolve("thesis.tex");
    assertThatThrownBy(() -> RunDirectory.open(file, "r1", Mode.START))
        .hasMessageContaining("is a file");
    assertThatThrownBy(() -> RunDirectory.open(file.resolve("run"), "r1", Mode.START))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("cannot be used");
  }

  @Test
  void overwritingDeletesTheRunAndNothingElse() throws IOException {
    aRun("r1");
    Files.createDirectories(dir.resolve("checkpoint-10"));
    Files.writeString(dir.resolve("checkpoint-10/trainer_state.json"), "{}");
    Files.createDirectories(dir.resolve("checkpoint-20.tmp"));
    Files.writeString(dir.resolve("thesis.tex"), "years of work");

    RunDirectory.open(dir, "r2", Mode.OVERWRITE);

    try (var left = Files.list(dir)) {
      assertThat(left).containsExactly(dir.resolve("thesis.tex"));
    }
  }

  @Test
  void saysSoWhenTheProvenanceIsDamaged() throws IOException {
    Files.writeString(dir.resolve("provenance.json"), "{\"recipe");
    assertThatThrownBy(() -> RunDirectory.open(dir, "r1", Mode.RESUME))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("provenance.json cannot be read");
    Files.writeString(dir.resolve("provenance.json"), "{}");
    assertThatThrownBy(() -> RunDirectory.open(dir, "r1", Mode.START))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("names no recipe");
  }

  private void aRun(String recipe) throws IOException {
    new Provenance(recipe, 1, List.of(), List.of(), Build.current(), Machine.current(), "kernels")
        .write(dir.resolve("provenance.json"));
    Files.writeString(dir.resolve("metrics.jsonl"), "");
  }
}
