package dev.nibble.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.cli.terminal.Console;
import dev.nibble.trainer.train.Report;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private final AtomicInteger columns = new AtomicInteger(80);

  private Console terminal() {
    return Console.terminal(out(), false, columns::get);
  }

  private PrintStream out() {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  /** What was printed, without memory, which differs. */
  private String shown() {
    return bytes.toString(StandardCharsets.UTF_8).replaceAll(" · [0-9.]+ [MG]iB memory", "");
  }

  private static Report.StepReport step(long step) {
    return new Report.StepReport(step, 20, 0.5, 1.25, 2e-4, 0.5, 512, 100, 812.4, 102);
  }

  @Test
  void plainProgressComesEveryFewSteps() {
    TrainingProgress progress = new TrainingProgress(Console.plain(out()), 10);
    for (long s = 1; s <= 20; s++) {
      progress.accept(step(s));
    }
    progress.accept(new Report.EvaluationReport(0, 20, 0, 2, Math.exp(2), 9, 0.1, false));
    progress.accept(new Report.CheckpointReport(20, Path.of("/run/checkpoint-20"), 0.1));
    String rest =
        " · loss 1.2500 · 1:42 left · 812 tokens/s · epoch 0.50 · learning rate 2.00e-04 · gradient norm 0.500";
    assertThat(shown().lines())
        .containsExactly(
            "  step 1 of 20" + rest,
            "  step 10 of 20" + rest,
            "  step 20 of 20" + rest,
            "  before training: validation loss 2.0000, perplexity 7.389",
            "  checkpoint in /run/checkpoint-20");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          30  | 5/20 · loss 1.250 · 1:42 l…
          40  | 5/20 · loss 1.250 · 1:42 left
          60  | ██████░░░░░░░░░░░░░░░░░░ 5/20 · loss 1.250 · 1:42 left
          80  | ██████░░░░░░░░░░░░░░░░░░ 5/20 · loss 1.250 · 1:42 left · 812 tokens/s
          100 | ██████░░░░░░░░░░░░░░░░░░ 5/20 · loss 1.250 · 1:42 left · 812 tokens/s · epoch 0.50
          """)
  void theWindowDecidesHowMuchALiveLineSays(int width, String line) {
    columns.set(width);
    new TrainingProgress(terminal(), 10).accept(step(5));
    assertThat(shown()).isEqualTo("  " + line);
    assertThat(shown().length()).isLessThan(width);
  }

  @Test
  void aTerminalKeepsALineForEachTenthOfARun() {
    TrainingProgress progress = new TrainingProgress(terminal(), 1);
    for (long s = 1; s <= 20; s++) {
      progress.accept(step(s));
    }
    assertThat(shown().lines().filter(line -> line.contains("step "))).hasSize(11);
    assertThat(shown().lines()).allMatch(line -> line.length() < 80 + 10);
  }
}
