package dev.nibble.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.cli.terminal.Console;
import dev.nibble.trainer.train.Report;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TrainingProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private Console console(boolean terminal) {
    return new Console(new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal, terminal);
  }

  private String shown() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static Report.StepReport step(long step) {
    return new Report.StepReport(step, 20, 0.5, 1.25, 2e-4, 0.5, 512, 100, 812.4, 102);
  }

  @Test
  void plainProgressComesEveryFewSteps() {
    TrainingProgress progress = new TrainingProgress(console(false), 10);
    for (long s = 1; s <= 20; s++) {
      progress.accept(step(s));
    }
    progress.accept(new Report.CheckpointReport(20, Path.of("/run/checkpoint-20"), 0.1));
    assertThat(shown().lines().map(line -> line.replaceAll(" · [0-9.]+ [MG]iB memory", "")))
        .containsExactly(
            "  step 1 of 20 · loss 1.2500 · learning rate 2.00e-04 · 812 tokens/s · 1:42 left",
            "  step 10 of 20 · loss 1.2500 · learning rate 2.00e-04 · 812 tokens/s · 1:42 left",
            "  step 20 of 20 · loss 1.2500 · learning rate 2.00e-04 · 812 tokens/s · 1:42 left",
            "  checkpoint in /run/checkpoint-20");
  }

  @Test
  void terminalsGetABar() {
    TrainingProgress progress = new TrainingProgress(console(true), 10);
    progress.accept(step(5));
    assertThat(shown()).contains("██████░░░░░░░░░░░░░░░░░░", "step 5 of 20").doesNotContain("\n");
  }
}
