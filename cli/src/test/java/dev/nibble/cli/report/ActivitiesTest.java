package dev.nibble.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.event.Event;
import dev.nibble.cli.terminal.Console;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ActivitiesTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "LOADING_MODEL    | 0       | 0       | loading the model…",
        "LOADING_MODEL    | 1048576 | 4194304 | loading the model: 1 MiB of 4 MiB",
        "WRITING          | 0       | 0       | writing…",
        "WRITING          | 1048576 | 4194304 | writing: 1 MiB of 4 MiB",
        "MERGING          | 1048576 | 4194304 | merging: 1 MiB of 4 MiB",
        "COMPARING        | 2       | 5       | comparing outputs: 2 of 5 batches",
        "VALIDATING       | 2       | 1500    | validation: 2 of 1,500 batches",
        "ASKING_QUESTIONS | 2       | 1500    | asking questions: 2 of 1,500",
      })
  void saysHowFarItIs(Event.Activity activity, long done, long total, String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    Activities.show(
        new Event.Working(activity, done, total), Console.terminal(out, false, () -> 80));
    assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo("  " + text);
  }
}
