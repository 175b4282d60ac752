package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.TinyRun;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Signals, sent to a real process in the middle of a run. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SignalTest {
  private static final int INT = 2;

  /**
   * Processes inherit which signals are ignored: under nohup SIGHUP, in a script's background
   * SIGINT.
   */
  @BeforeAll
  static void signalsArriveHere() throws IOException {
    long ignored =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
            .findFirst()
            .orElse(0);
    Assumptions.assumeTrue(
        (ignored & (1 | 1 << (INT - 1))) == 0,
        "SIGHUP or SIGINT is ignored where these tests run (nohup, or a script's background job)");
  }

  @ParameterizedTest
  @CsvSource({"HUP, 129", "INT, 130", "TERM, 143", "STOP CONT INT, 130"})
  void savesACheckpointAndEndsWithTheSignalsCode(String signals, int exitCode, @TempDir Path folder)
      throws Exception {
    TinyRun run = TinyRun.in(folder);
    Process process =
        start(run.path("pretrain.yaml"), "--set", "max_steps=100000", "--set", "logging_steps=1");
    StringBuilder out = new StringBuilder();
    try (BufferedReader lines = process.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        out.append(line).append('\n');
        if (line.contains("step 1 of")) {
          for (String signal : signals.split(" ", -1)) {
            kill(signal, process.pid());
            Thread.sleep(100);
          }
        }
      }
    }
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(out.toString()).contains("checkpoint in", "To resume:", "--resume");
    assertThat(process.exitValue()).as(out.toString()).isEqualTo(exitCode);
    try (Stream<Path> files = Files.list(run.path("model"))) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .anyMatch(name -> name.matches("checkpoint-\\d+"));
    }
  }

  /** The second ends the process at once; what is there can be resumed. */
  @Test
  void aSecondSignalEndsAtOnce(@TempDir Path folder) throws Exception {
    TinyRun run = TinyRun.in(folder);
    String recipe = run.path("pretrain.yaml").toString();
    Process process =
        start(Path.of(recipe), "--set", "max_steps=100000", "--set", "logging_steps=1");
    try (BufferedReader lines = process.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.contains("step 1 of")) {
          kill("INT", process.pid());
          kill("INT", process.pid());
        }
      }
    }
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(130);
    Process resumed = start(Path.of(recipe), "--set", "max_steps=100000", "--resume");
    StringBuilder out = new StringBuilder();
    try (BufferedReader lines = resumed.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        out.append(line).append('\n');
        if (line.contains(" step ")) {
          kill("TERM", resumed.pid());
        }
      }
    }
    assertThat(resumed.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(resumed.exitValue()).as(out.toString()).isEqualTo(143);
  }

  private static Process start(Path recipe, String... more) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(a -> !a.startsWith("-javaagent") && !a.startsWith("-Xlog"))
        .forEach(command::add);
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "train"));
    command.add(recipe.toString());
    command.addAll(List.of(more));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  private static void kill(String signal, long pid) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).start().waitFor();
  }
}
