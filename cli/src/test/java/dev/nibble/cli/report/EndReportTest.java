package dev.nibble.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.event.Event;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeBuilder;
import dev.nibble.trainer.checkpoint.TrainerState;
import dev.nibble.trainer.train.Report;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class EndReportTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private final Recipe recipe =
      RecipeBuilder.on(Path.of("/base"))
          .qlora(4)
          .dataset(Path.of("/rows.jsonl"), "alpaca")
          .sequenceLength(32)
          .steps(3)
          .output(Path.of("/run"))
          .build();

  private String shown() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** A run of three steps whose validation loss falls from 9 to 2. */
  private void report(Console console) {
    Losses losses = new Losses();
    losses.accept(new Report.EvaluationReport(0, 3, 0, 9, Math.exp(9), 5, 1, false));
    double[] training = {4, 2, 1};
    for (int i = 0; i < training.length; i++) {
      losses.accept(new Report.StepReport(i + 1, 3, 0, training[i], 1e-3, 1, 10, 5, 10, 1));
    }
    EndReport report = new EndReport(recipe, losses, console);
    report.course();
    report.saved(new Event.ResultSaved(Path.of("/run"), 3, new TrainerState.Best(3, 2)));
    report.finished();
  }

  @Test
  void aTerminalShowsTheCourseOfTheLoss() {
    report(Console.terminal(out, false, () -> 100));
    assertThat(shown())
        .startsWith("  loss       4.0000 █▅▁ 1.0000\n")
        .containsSubsequence(
            "Its weights are the best of the run: validation loss 2.0000 after step 3.",
            "Before training the validation loss was 9.0000.");
  }

  @Test
  void aNarrowOneHasNoRoomForIt() {
    report(Console.terminal(out, false, () -> 33));
    assertThat(shown()).doesNotContain("█");
  }

  @Test
  void filesGetNoBlocks() {
    report(Console.plain(out));
    assertThat(shown()).doesNotContain("█").contains("Before training");
  }
}
